"""What a partner's host serves: customer portal at the root, partner portal below /manage/."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
