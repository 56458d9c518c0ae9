"""Plans as the partner sells them: the list, a new plan, a new version of one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import BaseFormSet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.billing.models import Plan, PlanVersion, PriceKind
from apps.billing.rating import TaxRule, rate_invoice
from apps.billing.selectors import get_plan
from apps.billing.services import archive_plan, create_plan, publish_plan_version
from apps.core import clock
from apps.core.money import Money, round_half_up
from apps.partner_portal.actions import perform, submit, tell_refusal
from apps.partner_portal.forms.billing import (
    PlanForm,
    PriceFormSet,
    UsageForm,
    initial_prices,
    new_prices,
    price_terms,
)
from apps.partner_portal.request import partner_of
from apps.partner_portal.selectors.plans import current_plan_versions
from apps.partner_portal.views.billing import TABS
from apps.ui import htmx
from apps.ui.tables import Column, build_table

NO_TAX = TaxRule(category="Z", rate=Decimal(0))


def monthly_of(version: PlanVersion) -> Money:
    flat = sum((p.unit_amount for p in version.prices.all() if p.kind == PriceKind.FLAT), Decimal(0))
    return Money(round_half_up(flat), version.currency)


COLUMNS = (
    Column("name", "Plan", value="plan.name", sub="plan.description", main=True),
    Column("monthly", "Monthly", "money", value=monthly_of),
    Column("prices", "Also charged", value=lambda v: ", ".join(p.label for p in v.prices.all() if p.meter) or None),
    Column("version", "Version", "number", value="number"),
    Column("customers", "Subscriptions", "number", value="subscription_count"),
)


@require_GET
@requires(Audience.STAFF, "billing.view")
def show_plans(request: ActorRequest) -> HttpResponse:
    table = build_table(
        current_plan_versions(), COLUMNS, caption="Plans", noun="plans",
        url=lambda version: reverse("partner_portal:plan", args=[version.plan_id]),
    )  # fmt: skip
    return render(request, "partner_portal/plans.html", {"tabs": TABS.of(request, "plans"), "table": table})


@require_POST
@requires(Audience.STAFF, "billing.manage")
def calculate_month(request: ActorRequest) -> HttpResponse:
    """What a month would cost by the prices in the editor, saved or not, rated by the code that invoices.

    Without tax: it depends on who is billed.
    """
    form, usage = PlanForm(request.POST, is_version=True), UsageForm(request.POST, prefix="use")
    rows = PriceFormSet(request.POST, prefix="prices")
    context: dict[str, Any] = {"usage": usage}
    if form.is_valid() and usage.is_valid() and rows.is_valid():
        currency = form.cleaned_data["currency"]
        terms = price_terms(new_prices(rows, currency))
        context |= {"rated": rate_invoice(terms, usage.quantities(), NO_TAX), "currency": currency}
    return render(request, "partner_portal/_calculation.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "billing.manage")
def add_plan(request: ActorRequest) -> HttpResponse:
    form = PlanForm(request.POST or None, initial={"currency": partner_of(request).currency})
    rows = PriceFormSet(request.POST or None, prefix="prices")
    if request.method == "POST" and rows.is_valid():
        made = submit(
            form,
            lambda data: create_plan(
                actor=request.actor, now=clock.now(), name=data["name"], description=data["description"],
                currency=data["currency"], prices=new_prices(rows, data["currency"]),
            ),
        )  # fmt: skip
        if made is not None:
            messages.info(request, f"{made.plan.name} can be sold now.")
            return htmx.redirect(request, reverse("partner_portal:plan", args=[made.plan_id]))
    context = {"form": form, "rows": rows, "usage": UsageForm(prefix="use"), "crumbs": _crumbs()}
    return render(request, "partner_portal/plan_add.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "billing.view")
def show_plan(request: ActorRequest, plan_id: UUID) -> HttpResponse:
    """A plan with its versions; publishing prices makes the next one."""
    plan = get_plan(plan_id)
    versions = list(plan.versions.order_by("-number").prefetch_related("prices"))
    form, rows = _version_forms(request, versions[0])
    if request.method == "POST":
        request.actor.require("billing.manage")
        made = _publish(request, plan, form, rows)
        if made is not None:
            messages.info(request, f"Version {made.number} is on sale. Running subscriptions keep theirs.")
            return htmx.redirect(request, reverse("partner_portal:plan", args=[plan.pk]))
        if plan.archived_at is not None:
            tell_refusal(request, form)
    context = {
        "plan": plan, "form": form, "rows": rows, "usage": UsageForm(prefix="use"), "crumbs": _crumbs(),
        "history": [(version, monthly_of(version)) for version in versions],
    }  # fmt: skip
    return render(request, "partner_portal/plan.html", context)


def _version_forms(request: ActorRequest, version: PlanVersion) -> tuple[PlanForm, BaseFormSet[Any]]:
    form = PlanForm(request.POST or None, initial={"currency": version.currency}, is_version=True)
    return form, PriceFormSet(request.POST or None, initial=initial_prices(version), prefix="prices")


def _publish(request: ActorRequest, plan: Plan, form: PlanForm, rows: BaseFormSet[Any]) -> PlanVersion | None:
    if not rows.is_valid():
        return None
    return submit(
        form,
        lambda data: publish_plan_version(
            actor=request.actor, now=clock.now(), plan=plan, currency=data["currency"],
            prices=new_prices(rows, data["currency"]),
        ),
    )  # fmt: skip


@require_POST
@requires(Audience.STAFF, "billing.manage")
def retire_plan(request: ActorRequest, plan_id: UUID) -> HttpResponse:
    plan = get_plan(plan_id)
    return perform(
        request,
        lambda: archive_plan(actor=request.actor, now=clock.now(), plan=plan),
        done=f"{plan.name} is off the list. Running subscriptions go on.",
        next_url=reverse("partner_portal:plans"),
    )


def _crumbs() -> list[tuple[str, str]]:
    return [("Billing", reverse("partner_portal:billing")), ("Plans", reverse("partner_portal:plans"))]
