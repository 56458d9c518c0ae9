"""What a partner's host serves: customer portal at the root, partner portal below /manage/."""

from django.urls import URLPattern, URLResolver, include, path

from apps.api.hooks import receive_hook
from apps.customer_portal.views.oauth import oauth_callback

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.branding.urls")),
    path("accounts/", include("apps.accounts.urls")),
    path("hooks/<str:token>/", receive_hook, name="hook"),
    path("oauth/callback", oauth_callback, name="oauth_callback"),
]
