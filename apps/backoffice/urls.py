"""The back office, on the platform's own host."""

from django.urls import path

from apps.backoffice.views import health, partners, provisioning

app_name = "backoffice"

urlpatterns = [
    path("", partners.home, name="home"),
    path("partners/", partners.partner_list, name="partner_list"),
    path("partners/new/", partners.create, name="partner_create"),
    path("partners/<uuid:partner_id>/", partners.partner_detail, name="partner_detail"),
    path("partners/<uuid:partner_id>/suspend/", partners.suspend, name="partner_suspend"),
    path("partners/<uuid:partner_id>/resume/", partners.resume, name="partner_resume"),
    path("provisioning/", provisioning.provisioning_log, name="provisioning_log"),
    path("health/", health.platform_health, name="platform_health"),
]
