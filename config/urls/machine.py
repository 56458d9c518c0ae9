"""What only machines call. A partner's host serves all of it, the platform's own the probes."""

from django.urls import URLPattern, URLResolver, path

from apps.api.hooks import receive_hook
from apps.ui.health import report_health, report_readiness

handler400 = "apps.api.machine_errors.bad_request"
handler403 = "apps.api.machine_errors.permission_denied"
handler404 = "apps.api.machine_errors.not_found"
handler500 = "apps.api.machine_errors.server_error"

PROBES: list[URLPattern | URLResolver] = [
    path(".well-known/health", report_health, name="health"),
    path(".well-known/ready", report_readiness, name="readiness"),
]
urlpatterns: list[URLPattern | URLResolver] = [path("hooks/<str:token>/", receive_hook, name="hook"), *PROBES]
