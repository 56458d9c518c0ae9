from django.apps import AppConfig


class PartnerPortalConfig(AppConfig):
    name = "apps.partner_portal"
