"""Everything below /accounts/: the sign-in library's pages and our own."""

from django.urls import include, path

from apps.accounts import views

urlpatterns = [
    path("invitations/<str:token>/", views.accept, name="accept_invitation"),
    path("profile/", views.profile, name="account_profile"),
    path("", include("allauth.urls")),
]
