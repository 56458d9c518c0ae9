"""The partner portal, below /manage/: one list per domain."""

from django.urls import URLPattern, URLResolver

from apps.partner_portal.urls import api_keys, brand, mails, team

app_name = "partner_portal"
urlpatterns: list[URLPattern | URLResolver] = [
    *team.urlpatterns,
    *brand.urlpatterns,
    *api_keys.urlpatterns,
    *mails.urlpatterns,
]
