"""Templates and their versions, and the rules for publishing."""

from django.urls import URLPattern, URLResolver, include, path

from apps.partner_portal.views import (
    configuration,
    partner_configuration,
    release_rules,
    rollouts,
    schedules,
    templates,
    versions,
)

TEMPLATE: list[URLPattern | URLResolver] = [
    path("", templates.show_template, name="template"),
    path("fork/", templates.fork, name="template_fork"),
    path("edit/", templates.edit_template, name="template_edit"),
    path("source/", templates.download_source, name="template_source"),
    path("changes/", templates.show_changes, name="template_changes"),
    path("draft/", templates.open_draft, name="template_draft"),
    path("rollout/", rollouts.plan_rollout, name="rollout_plan"),
    path("try/", rollouts.try_version, name="template_try"),
    path("<slug:release_step>/", templates.take_step, name="template_step"),
]

VERSIONS: list[URLPattern | URLResolver] = [
    path("", versions.show_versions, name="versions"),
    path("<uuid:revision_id>/", versions.show_version, name="version"),
    path("<uuid:revision_id>/<slug:release_step>/", versions.take_step, name="version_step"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("catalogue/templates/<uuid:version_id>/", include(TEMPLATE)),
    path("integrations/<uuid:integration_id>/versions/", include(VERSIONS)),
    path("integrations/<uuid:integration_id>/upgrade/<uuid:version_id>/", rollouts.preview_upgrade, name="upgrade"),
    path("integrations/<uuid:integration_id>/schedule/", schedules.edit_schedule, name="schedule"),
    path("integrations/<uuid:integration_id>/promote/", configuration.promote, name="promote"),
    path("customers/<uuid:customer_id>/configuration/", configuration.edit_configuration, name="configuration"),
    path(
        "customers/<uuid:customer_id>/configuration/export/",
        configuration.export_configuration,
        name="configuration_export",
    ),
    path("rollouts/<uuid:rollout_id>/", rollouts.show_rollout, name="rollout"),
    path("rollouts/<uuid:rollout_id>/<slug:rollout_step>/", rollouts.change_rollout, name="rollout_change"),
    path("rollouts/members/<uuid:member_id>/<slug:rollout_step>/", rollouts.change_member, name="rollout_member"),
    path("settings/configuration/", partner_configuration.edit_configuration, name="partner_configuration"),
    path(
        "settings/configuration/export/",
        partner_configuration.export_configuration,
        name="partner_configuration_export",
    ),
    path("settings/releases/", release_rules.edit_rules, name="release_rules"),
]
