from django.urls import path

from apps.partner_portal.views import modernization, modernization_plan, parallel_runs

urlpatterns = [
    path("modernization/interfaces/<uuid:legacy_interface_id>/", modernization.show, name="legacy_interface"),
    path("modernization/interfaces/<uuid:legacy_interface_id>/edit/", modernization.edit, name="legacy_interface_edit"),
    path("modernization/interfaces/<uuid:legacy_interface_id>/remove/", modernization.remove, name="legacy_interface_remove"),
    path("modernization/interfaces/<uuid:legacy_interface_id>/points/", modernization.new_point, name="point_add"),
    path("modernization/interfaces/<uuid:legacy_interface_id>/compare/", parallel_runs.bring, name="parallel_run_add"),
    path("modernization/interfaces/<uuid:legacy_interface_id>/<slug:cut_over_step>/", modernization.step, name="cut_over_step"),
    path("modernization/points/<uuid:point_id>/<slug:point_change>/", modernization.change_point, name="point_change"),
    path("modernization/waves/<uuid:wave_id>/", modernization_plan.edit_wave, name="migration_wave"),
    path("modernization/waves/<uuid:wave_id>/remove/", modernization_plan.drop_wave, name="migration_wave_remove"),
    path("modernization/comparisons/<uuid:parallel_run_id>/", parallel_runs.show, name="parallel_run"),
    path("modernization/comparisons/<uuid:parallel_run_id>/findings.csv", parallel_runs.export, name="parallel_run_export"),
    path("modernization/comparisons/<uuid:parallel_run_id>/accept/", parallel_runs.accept, name="parallel_run_accept"),
    path(
        "modernization/comparisons/<uuid:parallel_run_id>/findings/<int:finding_id>/withdraw/",
        parallel_runs.withdraw, name="finding_withdraw",
    ),
    path(
        "modernization/comparisons/<uuid:parallel_run_id>/<slug:comparison_change>/", parallel_runs.change,
        name="parallel_run_change",
    ),
]  # fmt: skip
