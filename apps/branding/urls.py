from django.urls import path, re_path

from apps.branding import views

urlpatterns = [
    re_path(r"^theme\.(?P<digest>[0-9a-f]{16})\.css$", views.theme, name="brand_theme"),
    re_path(r"^brand/(?P<digest>[0-9a-f]{64})\.(?P<extension>png|webp)$", views.image, name="brand_image"),
    re_path(r"^brand/mark\.(?P<digest>[0-9a-f]{16})\.svg$", views.mark, name="brand_mark"),
    path("favicon.ico", views.icon, name="brand_icon"),
]
