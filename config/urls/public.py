"""What the platform's own host serves: the back office."""

from django.urls import URLPattern, URLResolver, include, path

from apps.ui.health import report_health, report_readiness

handler400 = "apps.ui.views.bad_request"
handler403 = "apps.ui.views.permission_denied"
handler404 = "apps.ui.views.page_not_found"
handler500 = "apps.ui.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.backoffice.urls")),
    path(".well-known/health", report_health, name="health"),
    path(".well-known/ready", report_readiness, name="readiness"),
    path("", include("apps.branding.urls")),
    path("accounts/", include("apps.accounts.urls")),
]
