"""What the platform's own host serves: the back office."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.branding.urls")),
    path("accounts/", include("apps.accounts.urls")),
]
