from django.urls import path

from apps.partner_portal.views import brand

urlpatterns = [
    path("settings/brand/", brand.edit, name="brand"),
    path("settings/brand/preview/", brand.preview, name="brand_preview"),
    path("settings/brand/preview.css", brand.preview_theme, name="brand_preview_theme"),
    path("settings/brand/reset/", brand.reset, name="brand_reset"),
]
