from django.apps import AppConfig


class PartnerPortalConfig(AppConfig):
    name = "apps.partner_portal"

    def ready(self) -> None:
        from apps.partner_portal.frame import build_frame
        from apps.ui import nav

        nav.register("partner_portal", build_frame)
