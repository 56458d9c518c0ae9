from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.backoffice.selectors.partners import list_provisioning_runs
from apps.provisioning.models import ProvisioningRun, ProvisioningStatus
from apps.ui.paging import page_queryset
from apps.ui.tables import Column, build_table


def _seconds(run: ProvisioningRun) -> float | None:
    return (run.finished_at - run.started_at).total_seconds() if run.finished_at else None


COLUMNS = [
    Column("partner", "Partner", value="partner.name", main=True),
    Column("status", "Outcome", kind="status", value=lambda run: ProvisioningStatus(run.status)),
    Column("method", "Schema made from", value=lambda run: run.method, wide_only=True),
    Column("seconds", "Took", kind="duration", value=_seconds),
    Column("started_at", "Started", kind="datetime"),
    Column("error", "Error", clip=True, wide_only=True),
]


@require_GET
@requires(Audience.OPERATOR, "partners.view")
def provisioning_log(request: ActorRequest) -> HttpResponse:
    page = page_queryset(list_provisioning_runs(request.actor), request, order=("-started_at", "-id"))
    table = build_table(page.items, COLUMNS, caption="Provisioning runs", url=_address, noun="runs")
    return render(request, "backoffice/provisioning_log.html", {"table": table, "page": page})


def _address(run: ProvisioningRun) -> str:
    return reverse("backoffice:partner_detail", args=[run.partner_id])
