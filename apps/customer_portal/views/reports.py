from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.customer_portal.documents import pdf_response
from apps.customer_portal.request import customer_of
from apps.customer_portal.selectors.reports import (
    describe_measurement,
    describe_report,
    file_name_of,
    month_of,
    report_pdf,
)
from apps.sla.models import SlaReport
from apps.sla.selectors import get_report, list_reports, month_to_date
from apps.ui.paging import page_queryset
from apps.ui.status import Status, status_of
from apps.ui.tables import Column, build_table

COLUMNS = [
    Column("month", "Month", value=lambda report: month_of(report), main=True),
    Column("policy", "Promise", value=lambda report: report.policy_version.policy.name),
    Column("outcome", "Outcome", kind="status", value=lambda report: _outcome(report)),
    Column("computed_at", "Made", kind="datetime", wide_only=True),
]


def _outcome(report: SlaReport) -> Status:
    return status_of("kept") if report.is_met else status_of("failing", label="Missed")


@require_GET
@requires(Audience.CUSTOMER, "sla.view")
def report_list(request: ActorRequest) -> HttpResponse:
    now, customer = clock.now(), customer_of(request)
    page = page_queryset(list_reports(request.actor), request, order=("-period_start", "-id"), size=24)
    context = {
        "table": build_table(page.items, COLUMNS, caption="Service level reports", url=_address, noun="reports"),
        "page": page,
        "current": describe_measurement(month_to_date(customer, now)),
    }
    return render(request, "customer_portal/report_list.html", context)


@require_GET
@requires(Audience.CUSTOMER, "sla.view")
def current_levels(request: ActorRequest) -> HttpResponse:
    """The running month as a panel of the overview, fetched after the page: it is measured from every run."""
    figures = describe_measurement(month_to_date(customer_of(request), clock.now()))
    return render(request, "customer_portal/_measurement.html", {"figures": figures})


@require_GET
@requires(Audience.CUSTOMER, "sla.view")
def report_detail(request: ActorRequest, report_id: UUID) -> HttpResponse:
    report = get_report(request.actor, report_id)
    context = {
        "crumbs": [("Reports", reverse("customer_portal:report_list"))],
        "report": report,
        "title": f"Service levels in {month_of(report)}",
        "status": _outcome(report),
        "figures": describe_report(report),
    }
    return render(request, "customer_portal/report_detail.html", context)


@require_GET
@requires(Audience.CUSTOMER, "sla.view")
def report_document(request: ActorRequest, report_id: UUID) -> HttpResponse:
    report = get_report(request.actor, report_id)
    return pdf_response(report_pdf(report), file_name_of(report))


def _address(report: SlaReport) -> str:
    return reverse("customer_portal:report_detail", args=[report.pk])
