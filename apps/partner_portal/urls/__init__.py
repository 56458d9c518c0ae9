"""The partner portal, below /manage/: one list per domain."""

from django.urls import URLPattern, URLResolver

from apps.partner_portal.urls import (
    api_keys,
    brand,
    customers,
    delivery,
    exceptions,
    home,
    mails,
    modernization,
    money,
    records,
    releases,
    team,
    webhooks,
)

app_name = "partner_portal"
urlpatterns: list[URLPattern | URLResolver] = [
    *home.urlpatterns,
    *customers.urlpatterns,
    *releases.urlpatterns,  # before what takes any word below an integration
    *delivery.urlpatterns,
    *records.urlpatterns,
    *money.urlpatterns,
    *team.urlpatterns,
    *brand.urlpatterns,
    *api_keys.urlpatterns,
    *mails.urlpatterns,
    *webhooks.urlpatterns,
    *exceptions.urlpatterns,
    *modernization.urlpatterns,
]
