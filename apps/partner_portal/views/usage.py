"""From a metered line of an invoice to the runs that made it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.billing.selectors import get_invoice
from apps.billing.trail import TrailStep, trace_line
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.formats import format_unit_price
from apps.sync.models import SyncRun
from apps.ui.paging import Page, with_query
from apps.ui.tables import Column, build_table

STEPS_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step with the run it leads to, if that is kept and the reader may open runs."""

    step: TrailStep
    name: str
    url: str
    price: str


@require_GET
@requires(Audience.STAFF, "billing.view")
def show_line_usage(request: ActorRequest, invoice_id: UUID, position: int) -> HttpResponse:
    invoice = get_invoice(request.actor, invoice_id)
    line = invoice.lines.filter(position=position).exclude(meter="").select_related("invoice__period").first()
    if line is None:
        raise NotVisible("There is no such line.")
    steps = trace_line(line)
    page = _page(request, steps)
    context = {
        "invoice": invoice, "line": line, "table": _table(request.actor, page.items, invoice.currency), "page": page,
        "run_count": len(steps), "used": sum((step.quantity for step in steps), Decimal(0)),
        "free": sum((step.free for step in steps), Decimal(0)),
        "unit_price": format_unit_price(line.unit_amount, invoice.currency),
        "crumbs": [
            ("Billing", reverse("partner_portal:billing")), ("Invoices", reverse("partner_portal:invoices")),
            (str(invoice), reverse("partner_portal:invoice", args=[invoice.pk])),
        ],
    }  # fmt: skip
    return render(request, "partner_portal/line_usage.html", context)


def _page(request: ActorRequest, steps: list[TrailStep]) -> Page[TrailStep]:
    given = request.GET.get("page", "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0
    first = number * STEPS_PER_PAGE
    has_more = first + STEPS_PER_PAGE < len(steps)
    return Page(
        items=steps[first : first + STEPS_PER_PAGE],
        next_url=with_query(request, page=str(number + 1)) if has_more else "",
        previous_url=with_query(request, page=str(number - 1)) if number else "",
    )


def _table(actor: Actor, steps: Iterable[TrailStep], currency: str) -> Any:
    columns = [
        Column("name", "Run", main=True),
        Column("first_at", "Metered", "datetime", value="step.first_at"),
        Column("quantity", "Used", "number", value="step.quantity"),
        Column("free", "Included", "number", value="step.free", wide_only=True),
        Column("charged", "Charged", "number", value="step.charged"),
        Column("price", "Amount", "text", value="price"),
    ]
    shown = _shown(actor, list(steps), currency)
    return build_table(shown, columns, caption="Usage by run", noun="runs", url=lambda one: one.url)


def _shown(actor: Actor, steps: list[TrailStep], currency: str) -> list[ShownStep]:
    ids = [step.run_id for step in steps if step.run_id]
    runs = {
        run.pk: run for run in SyncRun.objects.visible_to(actor).filter(pk__in=ids).select_related("flow__integration")
    }
    may_open = actor.can("runs.view")
    return [_step(step, runs.get(step.run_id), currency, may_open=may_open) for step in steps]  # type: ignore[arg-type]


def _step(step: TrailStep, run: SyncRun | None, currency: str, *, may_open: bool) -> ShownStep:
    price = format_unit_price(step.amount, currency)
    if run is None:
        return ShownStep(step, f"Run {step.source}" if step.run_id else step.source, "", price)
    url = reverse("partner_portal:run", args=[run.pk]) if may_open else ""
    return ShownStep(step, f"{run.flow.integration.name}: {run.flow.name}", url, price)
