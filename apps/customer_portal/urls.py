"""The customer portal, at the root of a partner's host."""

from django.urls import path

from apps.customer_portal.views import (
    activity,
    approvals,
    connect,
    connections,
    integrations,
    invoices,
    modernization,
    needs,
    overview,
    questions,
    reports,
    settings,
)

app_name = "customer_portal"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("state/", overview.overview_state, name="overview_state"),
    path("customers/<uuid:customer_id>/choose/", overview.choose, name="choose_customer"),
    path("integrations/", integrations.integration_list, name="integration_list"),
    path("integrations/<uuid:integration_id>/", integrations.integration_detail, name="integration_detail"),
    path("modernization/", modernization.modernization, name="modernization"),
    path("connections/<uuid:connection_id>/", connections.connection_detail, name="connection_detail"),
    path("connections/<uuid:connection_id>/authorize/", connections.authorize, name="authorize"),
    path("connections/<uuid:connection_id>/secrets/", connections.enter_secrets, name="enter_secrets"),
    path("connect/<str:token>/", connect.connect, name="connect"),
    path("activity/", activity.activity_list, name="activity_list"),
    path("records/<uuid:record_id>/", activity.record_detail, name="record_detail"),
    path("needs/", needs.needs_list, name="needs_list"),
    path("needs/questions/<uuid:question_id>/", questions.question_detail, name="question_detail"),
    path("needs/questions/<uuid:question_id>/<slug:answer>/", questions.answer, name="answer_question"),
    path("needs/values/<uuid:value_question_id>/", questions.decide_value, name="decide_value"),
    path("failures/<uuid:failure_id>/retry/", needs.retry, name="retry_failure"),
    path("needs/approvals/<uuid:approval_id>/approve/", approvals.approve, name="approval_approve"),
    path("needs/approvals/<uuid:approval_id>/reject/", approvals.reject, name="approval_reject"),
    path("reports/", reports.report_list, name="report_list"),
    path("reports/current/", reports.current_levels, name="current_levels"),
    path("reports/<uuid:report_id>/", reports.report_detail, name="report_detail"),
    path("reports/<uuid:report_id>/document/", reports.report_document, name="report_document"),
    path("invoices/", invoices.invoice_list, name="invoice_list"),
    path("invoices/<uuid:invoice_id>/", invoices.invoice_detail, name="invoice_detail"),
    path("invoices/<uuid:invoice_id>/document/", invoices.invoice_document, name="invoice_document"),
    path("settings/", settings.settings, name="settings"),
    path("settings/members/invite/", settings.invite_member, name="invite_member"),
    path("settings/members/<uuid:membership_id>/role/", settings.change_role, name="change_role"),
    path("settings/members/<uuid:membership_id>/remove/", settings.remove, name="remove_member"),
    path(
        "settings/invitations/<uuid:invitation_id>/withdraw/", settings.withdraw_invitation, name="withdraw_invitation"
    ),
]
