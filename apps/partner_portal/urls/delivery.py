from django.urls import URLPattern, URLResolver, include, path

from apps.partner_portal.views import (
    catalogue,
    connections,
    custom_connectors,
    decisions,
    deploy,
    error_actions,
    errors,
    integrations,
    log_exports,
    log_settings,
    logs,
    partner_mappings,
    partner_publications,
    policies,
    running,
    runs,
    studio,
    uploads,
)

MAPPING: list[URLPattern | URLResolver] = [
    path("", studio.show_mappings, name="mappings"),
    path("try/", studio.try_mappings, name="mappings_try"),
    path("publish/", studio.publish, name="mappings_publish"),
    path("fields/", studio.declare_field, name="mapping_fields"),
    path("<slug:role>/<slug:direction>/<slug:object_name>/", studio.edit_mapping, name="mapping"),
    path("<slug:role>/<slug:direction>/<slug:object_name>/preview/", studio.preview_field, name="mapping_preview"),
    path("<slug:role>/<slug:direction>/<slug:object_name>/values/", studio.edit_values, name="mapping_values"),
]

INTEGRATION: list[URLPattern | URLResolver] = [
    path("", integrations.show_integration, name="integration"),
    path("map/", integrations.show_integration_map, name="integration_map"),
    path("flows/", integrations.show_flows, name="integration_flows"),
    path("mapping/", include(MAPPING)),
    path("deploy/try/", deploy.try_out, name="deploy_try"),
    path("deploy/<slug:step>/", deploy.show_step, name="deploy_step"),
    path("<slug:change>/", integrations.change_integration, name="integration_change"),
]
CONNECTION = [
    path("", connections.show_connection, name="connection"),
    path("edit/", connections.edit_connection, name="connection_edit"),
    path("ask/", connections.ask_customer, name="connection_ask"),
    path("links/<uuid:link_id>/withdraw/", connections.withdraw_link, name="connect_link_withdraw"),
    path("authorize/", connections.authorize, name="connection_authorize"),
    path("payloads/", log_settings.change_connection_payloads, name="connection_payloads"),
    path("<slug:change>/", connections.change_connection, name="connection_change"),
]
FILES = [
    path("", uploads.show_files, name="connection_files"),
    path("<uuid:file_id>/", uploads.show_file, name="connection_file"),
    path("<uuid:file_id>/fetch/", uploads.fetch, name="connection_file_fetch"),
    path("<uuid:file_id>/take/", uploads.take_over, name="connection_file_take"),
    path("<uuid:file_id>/discard/", uploads.discard, name="connection_file_discard"),
]
LOG = [
    path("records/", logs.show_records, name="log_records"),
    path("records/<int:log_id>/", logs.show_record_log, name="log_record"),
    path("calls/", logs.show_calls, name="log_calls"),
    path("calls/<int:call_id>/", logs.show_call, name="log_call"),
    path("exports/", log_exports.show_exports, name="log_exports"),
    path("exports/add/<slug:kind>/", log_exports.add_export, name="log_export_add"),
    path("exports/<uuid:export_id>/", log_exports.show_export, name="log_export"),
    path("exports/<uuid:export_id>/stop/", log_exports.stop_export, name="log_export_stop"),
    path("exports/<uuid:export_id>/file/", log_exports.download_export, name="log_export_file"),
]
RUN = [
    path("", runs.show_run, name="run"),
    path("progress/", runs.show_run_progress, name="run_progress"),
    path("cancel/", runs.cancel, name="run_cancel"),
    path("again/", runs.start_again, name="run_again"),
    path("continue/", running.go_on, name="run_continue"),
]

CUSTOM = [
    path("", custom_connectors.edit_connector, name="custom_connector"),
    path("try/", custom_connectors.try_connector, name="custom_try"),
    path("publish/", custom_connectors.publish, name="custom_publish"),
    path("archive/", custom_connectors.archive, name="custom_archive"),
    path("export/", custom_connectors.export_connector, name="custom_export"),
    path("versions/<uuid:connector_version_id>/restore/", custom_connectors.restore, name="custom_restore"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("integrations/", integrations.show_integrations, name="integrations"),
    path("integrations/mappings/", partner_mappings.show_partner_mappings, name="partner_mappings"),
    path("integrations/mappings/change/", partner_mappings.change_partner_mapping, name="partner_mapping_change"),
    path(
        "integrations/mappings/publish/", partner_publications.publish_partner_mappings, name="partner_mappings_publish"
    ),
    path(
        "integrations/mappings/publications/<uuid:publication_id>/",
        partner_publications.show_publication,
        name="partner_publication",
    ),
    path(
        "integrations/mappings/publications/<uuid:publication_id>/cancel/",
        partner_publications.stop_publication,
        name="partner_publication_cancel",
    ),
    path("integrations/conflicts/<uuid:field_policy_id>/reset/", policies.reset, name="field_policy_reset"),
    path("integrations/<uuid:integration_id>/conflicts/", policies.show_policies, name="policies_of_integration"),
    path("integrations/<uuid:integration_id>/", include(INTEGRATION)),
    path("flows/<uuid:flow_id>/run/", integrations.run_now, name="flow_run"),
    path("flows/<uuid:flow_id>/read/", running.read_again, name="flow_read"),
    path("flows/<uuid:flow_id>/compare/", decisions.compare_all, name="flow_compare"),
    path("flows/<uuid:flow_id>/<slug:change>/", running.change_flow, name="flow_change"),
    path("settings/runs/", running.edit_limits, name="run_limits"),
    path("connections/<uuid:uploading_id>/files/", include(FILES)),
    path("connections/<uuid:connection_id>/", include(CONNECTION)),
    path("runs/", runs.show_runs, name="runs"),
    path("runs/", include(LOG)),
    path("runs/<uuid:run_id>/", include(RUN)),
    path("errors/", errors.show_errors, name="errors"),
    path("errors/causes/<slug:fingerprint>/", errors.show_group, name="error_group"),
    path("errors/causes/<slug:fingerprint>/retry/", error_actions.retry_group, name="error_group_retry"),
    path("errors/causes/<slug:fingerprint>/<slug:act>/", error_actions.act_on_group, name="error_group_act"),
    path("errors/retry/", error_actions.retry_matching, name="errors_retry"),
    path("errors/retries/", error_actions.show_retries, name="error_retries"),
    path("errors/retries/<uuid:retry_id>/", error_actions.show_retry, name="error_retry_progress"),
    path("errors/retries/<uuid:retry_id>/cancel/", error_actions.stop_retry, name="error_retry_cancel"),
    path("errors/<uuid:failure_id>/", errors.show_error, name="error"),
    path("errors/<uuid:failure_id>/retry/", error_actions.retry, name="error_retry"),
    path("errors/<uuid:failure_id>/edit/", error_actions.edit, name="error_edit"),
    path("errors/<uuid:failure_id>/comment/", error_actions.comment, name="error_comment"),
    path("errors/<uuid:failure_id>/<slug:act>/", error_actions.act_on_error, name="error_act"),
    path("catalogue/custom/", custom_connectors.add_connector, name="custom_add"),
    path("catalogue/custom/from-sample/", uploads.guess_from_sample, name="custom_sample"),
    path("catalogue/custom/<uuid:connector_id>/", include(CUSTOM)),
    path("catalogue/", catalogue.show_catalogue, name="catalogue"),
    path("catalogue/connectors/<slug:vendor>/", catalogue.show_connector, name="connector"),
]
