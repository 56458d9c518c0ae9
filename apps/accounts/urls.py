"""Everything below /accounts/: the sign-in library's pages and our own."""

from django.urls import include, path

from apps.accounts import list_views, views

urlpatterns = [
    path("invitations/<str:token>/", views.accept, name="accept_invitation"),
    path("profile/", views.profile, name="account_profile"),
    path("lists/<str:page>/views/", list_views.save, name="save_list_view"),
    path("lists/views/<uuid:view_id>/delete/", list_views.delete, name="delete_list_view"),
    path("lists/<str:page>/columns/", list_views.columns, name="choose_list_columns"),
    path("", include("allauth.urls")),
]
