from django.urls import path

from apps.partner_portal.views import home, palette

urlpatterns = [
    path("", home.show_home, name="home"),
    path("palette", palette.search, name="palette"),
]
