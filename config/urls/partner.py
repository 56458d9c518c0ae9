"""What a partner's host serves: customer portal at the root, partner portal below /manage/."""

from django.urls import URLPattern, URLResolver, include, path

from apps.customer_portal.views.oauth import oauth_callback, oauth_start
from config.urls import machine

handler400 = "apps.ui.views.bad_request"
handler403 = "apps.ui.views.permission_denied"
handler404 = "apps.ui.views.page_not_found"
handler500 = "apps.ui.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.customer_portal.urls")),
    *machine.urlpatterns,
    path("", include("apps.branding.urls")),
    path("accounts/", include("apps.accounts.urls")),
    path("api/v1/", include("apps.api.v1.urls")),
    path("manage/", include("apps.partner_portal.urls")),
    path("oauth/start", oauth_start, name="oauth_start"),
    path("oauth/callback", oauth_callback, name="oauth_callback"),
]
