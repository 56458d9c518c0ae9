"""What the platform's own host serves: the back office."""

from django.urls import URLPattern, URLResolver, include, path

from config.urls.machine import PROBES

handler400 = "apps.ui.views.bad_request"
handler403 = "apps.ui.views.permission_denied"
handler404 = "apps.ui.views.page_not_found"
handler500 = "apps.ui.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.backoffice.urls")),
    *PROBES,
    path("", include("apps.branding.urls")),
    path("accounts/", include("apps.accounts.urls")),
]
