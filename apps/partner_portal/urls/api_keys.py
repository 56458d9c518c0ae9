from django.urls import path

from apps.partner_portal.views import api_keys, log_settings, outbound

urlpatterns = [
    path("settings/logs/", log_settings.edit_log_settings, name="log_settings"),
    path("settings/outbound/", outbound.edit_allowed_hosts, name="outbound"),
    path("settings/api-keys/", api_keys.key_list, name="api_keys"),
    path("settings/api-keys/new/", api_keys.create, name="api_key_create"),
    path("settings/api-keys/<uuid:key_id>/revoke/", api_keys.revoke, name="api_key_revoke"),
]
