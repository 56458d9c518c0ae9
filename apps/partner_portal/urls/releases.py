"""Templates and their versions, and the rules for publishing."""

from django.urls import URLPattern, URLResolver, include, path

from apps.partner_portal.views import release_rules, templates

TEMPLATE: list[URLPattern | URLResolver] = [
    path("", templates.show_template, name="template"),
    path("fork/", templates.fork, name="template_fork"),
    path("edit/", templates.edit_template, name="template_edit"),
    path("source/", templates.download_source, name="template_source"),
    path("changes/", templates.show_changes, name="template_changes"),
    path("draft/", templates.open_draft, name="template_draft"),
    path("<slug:release_step>/", templates.take_step, name="template_step"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("catalogue/templates/<uuid:version_id>/", include(TEMPLATE)),
    path("settings/releases/", release_rules.edit_rules, name="release_rules"),
]
