"""Ids that belong together, from a file: looked at first, then applied, and undone as a whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.models import Connection
from apps.core import clock
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.forms.id_pairs import IdPairsForm
from apps.partner_portal.views.stewardship import TABS
from apps.sync.services import PairReport, apply_pairs, preview_pairs, undo_batch

SHOWN = 200


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def show_pairs(request: ActorRequest) -> HttpResponse:
    found = (
        Connection.objects.visible_to(request.actor).filter(archived_at=None).select_related("customer", "environment")
    )
    connections = {str(c.pk): c for c in found.order_by("customer__name", "name", "id")}
    choices = [(key, f"{c.customer.name} · {c.name} ({c.environment.kind})") for key, c in connections.items()]
    form = IdPairsForm(choices, request.POST or None, request.FILES or None)
    report: PairReport | None = None
    is_applied = "apply" in request.POST

    def act(data: dict[str, Any]) -> PairReport:
        call = apply_pairs if is_applied else preview_pairs
        return call(
            actor=request.actor, now=clock.now(), entity=data["entity"], left=connections[data["left"]],
            right=connections[data["right"]], text=data["text"],
        )  # fmt: skip

    if request.method == "POST":
        report = submit(form, act)
        if report and is_applied:
            messages.info(
                request, f"{report.count('merge')} merged, {report.count('link')} noted for their first reading."
            )
    rows = sorted(report.rows, key=lambda row: row.outcome != "error")[:SHOWN] if report else []
    context = {
        "form": form, "report": report, "is_applied": is_applied, "rows": rows, "tabs": TABS.of(request, "id_pairs"),
        "text": form.cleaned_data.get("text", "") if report else "", "hidden_count": len(report.rows) - len(rows) if report else 0,
    }  # fmt: skip
    return render(request, "partner_portal/id_pairs.html", context)


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def undo(request: ActorRequest, batch_id: UUID) -> HttpResponse:
    return perform(
        request,
        lambda: undo_batch(actor=request.actor, now=clock.now(), batch_id=batch_id),
        done="What the import merged is parted again.",
        next_url=reverse("partner_portal:merges"),
    )
