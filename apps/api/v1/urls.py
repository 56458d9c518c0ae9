from __future__ import annotations

from django.urls import path, register_converter

from apps.api.fields import PREFIXES, converter_for
from apps.api.v1 import (
    connections,
    customers,
    description,
    event_types,
    failure_retries,
    failures,
    integrations,
    invoices,
    mappings,
    payments,
    records,
    runs,
    sla,
    stewardship,
)

for kind, prefix in PREFIXES.items():
    register_converter(converter_for(kind), prefix)

app_name = "api"
urlpatterns = [
    path("openapi.json", description.openapi, name="openapi"),
    path("docs", description.docs, name="docs"),
    path("customers", customers.CustomerList.as_view(), name="customers"),
    path("customers/<cus:customer_id>", customers.CustomerDetail.as_view(), name="customer"),
    path("connections", connections.ConnectionList.as_view(), name="connections"),
    path("connections/<con:connection_id>", connections.ConnectionDetail.as_view(), name="connection"),
    path("connections/<con:connection_id>/check", connections.ConnectionCheck.as_view(), name="connection_check"),
    path("integrations", integrations.IntegrationList.as_view(), name="integrations"),
    path("integrations/<itg:integration_id>", integrations.IntegrationDetail.as_view(), name="integration"),
    path("integrations/<itg:integration_id>/mappings", mappings.IntegrationMappings.as_view(), name="mappings"),
    path(
        "integrations/<itg:integration_id>/mappings/publish",
        mappings.IntegrationMappingsPublish.as_view(),
        name="mappings_publish",
    ),
    path("integrations/<itg:integration_id>/pause", integrations.IntegrationPause.as_view(), name="integration_pause"),
    path(
        "integrations/<itg:integration_id>/resume", integrations.IntegrationResume.as_view(), name="integration_resume"
    ),
    path("runs", runs.RunList.as_view(), name="runs"),
    path("runs/<run:run_id>", runs.RunDetail.as_view(), name="run"),
    path("runs/<run:run_id>/cancel", runs.RunCancel.as_view(), name="run_cancel"),
    path("runs/<run:run_id>/records", runs.RunRecordList.as_view(), name="run_records"),
    path("records", records.RecordList.as_view(), name="records"),
    path("records/<rec:record_id>", records.RecordDetail.as_view(), name="record"),
    path("records/<rec:record_id>/timeline", records.RecordTimeline.as_view(), name="record_timeline"),
    path("match-questions", stewardship.QuestionList.as_view(), name="questions"),
    path("match-questions/<mqu:question_id>", stewardship.QuestionDetail.as_view(), name="question"),
    path("match-questions/<mqu:question_id>/answer", stewardship.QuestionAnswer.as_view(), name="question_answer"),
    path("merges", stewardship.MergeList.as_view(), name="merges"),
    path("merges/<mrg:merge_id>/undo", stewardship.MergeUndo.as_view(), name="merge_undo"),
    path("failures", failures.FailureList.as_view(), name="failures"),
    path("failures/<fai:failure_id>", failures.FailureDetail.as_view(), name="failure"),
    path("failures/<fai:failure_id>/activity", failures.FailureActivity.as_view(), name="failure_activity"),
    path("failures/<fai:failure_id>/retry", failures.FailureTry.as_view(), name="failure_retry"),
    path("failures/<fai:failure_id>/comment", failures.FailureComment.as_view(), name="failure_comment"),
    path("failures/<fai:failure_id>/assign", failures.FailureAssign.as_view(), name="failure_assign"),
    path("failures/<fai:failure_id>/snooze", failures.FailureSnooze.as_view(), name="failure_snooze"),
    path("failures/<fai:failure_id>/wake", failures.FailureWake.as_view(), name="failure_wake"),
    path("failures/<fai:failure_id>/ignore", failures.FailureIgnore.as_view(), name="failure_ignore"),
    path("failures/<fai:failure_id>/reopen", failures.FailureReopen.as_view(), name="failure_reopen"),
    path("failures/<fai:failure_id>/edit", failures.FailureEdit.as_view(), name="failure_edit"),
    path("failure-groups", failures.FailureGroupList.as_view(), name="failure_groups"),
    path("failure-retries", failure_retries.RetryList.as_view(), name="failure_retries"),
    path("failure-retries/<frt:retry_id>", failure_retries.RetryDetail.as_view(), name="failure_retry_progress"),
    path("failure-retries/<frt:retry_id>/cancel", failure_retries.RetryCancel.as_view(), name="failure_retry_cancel"),
    path("event-types", event_types.EventTypeList.as_view(), name="event_types"),
    path("schemas/<slug:entity>", records.EntitySchema.as_view(), name="entity_schema"),
    path("sla-reports", sla.SlaReportList.as_view(), name="sla_reports"),
    path("sla-reports/<slr:report_id>", sla.SlaReportDetail.as_view(), name="sla_report"),
    path("invoices", invoices.InvoiceList.as_view(), name="invoices"),
    path("invoices/<inv:invoice_id>", invoices.InvoiceDetail.as_view(), name="invoice"),
    path("invoices/<inv:invoice_id>/pdf", invoices.InvoicePdf.as_view(), name="invoice_pdf"),
    path("invoices/<inv:invoice_id>/payments", payments.InvoicePaymentList.as_view(), name="invoice_payments"),
    path("<path:anything>", description.unknown_address, name="unknown"),
]
