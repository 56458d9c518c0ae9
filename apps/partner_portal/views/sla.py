"""Will I keep my promise? The running month, closed reports, policies."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import NotVisible
from apps.customers.selectors import get_customer, list_customers
from apps.partner_portal.actions import submit
from apps.partner_portal.forms.sla import PolicyForm
from apps.partner_portal.lists.money import kept, lines_of_report, report_month, reports_table
from apps.partner_portal.selectors.plans import current_policy_versions
from apps.partner_portal.selectors.sla import SlaStanding, recent_standings
from apps.partner_portal.tabs import Tabs
from apps.sla.measures import ObjectiveKey
from apps.sla.selectors import get_policy, get_report, list_reports, month_around
from apps.sla.services import close_month, create_policy, revise_policy
from apps.sla.words import name_objective
from apps.ui import htmx
from apps.ui.links import link_to
from apps.ui.paging import page_queryset
from apps.ui.tables import Column, build_table

TABS = Tabs(
    ("sla", "This month", "sla.view"), ("sla_reports", "Reports", "sla.view"), ("policies", "Policies", "sla.view")
)
COLUMNS = (
    Column("customer", "Customer", value="customer.name", sub=lambda s: str(s.assignment.policy_version), main=True),
    Column("state", "State", "status", value="status"),
    Column("worst", "Closest to its limit", value="summary"),
    Column("budget", "Error budget left", "percent", value=lambda s: s.worst.budget_left if s.worst else None),
    Column("until", "Month ends", "datetime", value="period_end", wide_only=True),
)


@require_GET
@requires(Audience.STAFF, "sla.view")
def show_month(request: ActorRequest) -> HttpResponse:
    now = clock.now()
    found = recent_standings(request.actor, list_customers(request.actor), now).values()
    table = build_table(
        sorted(found, key=_by_urgency), COLUMNS, caption="Service levels this month", noun="customers",
        url=lambda s: link_to("partner_portal:customer_sla")(s.customer.pk),
    )  # fmt: skip
    missed = sum(not standing.is_met for standing in found)
    at_risk = sum(standing.is_met and standing.is_at_risk for standing in found)
    context = {
        "tabs": TABS.of(request, "sla"), "table": table, "missed": missed, "at_risk": at_risk,
        "on_track": len(found) - missed - at_risk,
    }  # fmt: skip
    return render(request, "partner_portal/sla.html", context)


def _by_urgency(standing: SlaStanding) -> tuple[bool, Any]:
    worst = standing.worst
    return standing.is_met, worst.budget_left if worst and worst.budget_left is not None else 101


@require_GET
@requires(Audience.STAFF, "sla.view")
def show_reports(request: ActorRequest) -> HttpResponse:
    page = page_queryset(list_reports(request.actor), request, order=("-period_start", "-id"))
    context = {"tabs": TABS.of(request, "sla_reports"), "page": page, "table": reports_table(page.items, across=True)}
    return htmx.render_page(request, "partner_portal/sla_reports.html", "partner_portal/_report_rows.html", context)


@require_GET
@requires(Audience.STAFF, "sla.view")
def show_report(request: ActorRequest, report_id: UUID) -> HttpResponse:
    report = get_report(request.actor, report_id)
    context = {
        "report": report, "status": kept(report.is_met), "month": report_month(report), "lines": lines_of_report(report),
        "crumbs": [("SLA", reverse("partner_portal:sla")), ("Reports", reverse("partner_portal:sla_reports"))],
    }  # fmt: skip
    return render(request, "partner_portal/sla_report.html", context)


@require_GET
@requires(Audience.STAFF, "sla.view")
def download_report(request: ActorRequest, report_id: UUID) -> HttpResponse:
    report = get_report(request.actor, report_id)
    if report.document is None:
        raise NotVisible("This report has no document.")
    response = HttpResponse(bytes(report.document), content_type="application/pdf")
    response["Content-Disposition"] = (
        f'attachment; filename="sla-{report.customer.slug}-{report.period_start + timedelta(days=3):%Y-%m}.pdf"'
    )
    return response


@require_POST
@requires(Audience.STAFF, "sla.close")
def close_last_month(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer, now = get_customer(request.actor, customer_id), clock.now()
    start, _ = month_around(customer, now)
    report = close_month(actor=request.actor, customer=customer, instant=start - timedelta(seconds=1), now=now)
    if report is None:
        messages.error(request, "Nothing was promised at the end of last month.")
        return htmx.redirect(request, reverse("partner_portal:customer_sla", args=[customer.pk]))
    messages.info(request, "The month is closed.")
    return htmx.redirect(request, reverse("partner_portal:sla_report", args=[report.pk]))


POLICY_COLUMNS = (
    Column("name", "Policy", value="policy.name", sub=lambda version: f"Version {version.number}", main=True),
    Column("objectives", "Promises", value=lambda version: _promises(version)),
    Column("customers", "Customers", "number", value="customer_count"),
    Column("created_at", "Since", "datetime"),
)


def _promises(version: Any) -> str:
    return ", ".join(
        f"{name_objective(ObjectiveKey(row['key']), row.get('threshold_seconds') or 0)} {Decimal(row['target']).normalize():f} %"
        for row in version.objectives
    )


@require_GET
@requires(Audience.STAFF, "sla.view")
def show_policies(request: ActorRequest) -> HttpResponse:
    table = build_table(
        current_policy_versions(), POLICY_COLUMNS, caption="Policies", noun="policies",
        url=lambda version: link_to("partner_portal:policy")(version.policy_id),
    )  # fmt: skip
    return render(request, "partner_portal/policies.html", {"tabs": TABS.of(request, "policies"), "table": table})


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "sla.manage")
def add_policy(request: ActorRequest) -> HttpResponse:
    form = PolicyForm(request.POST or None)
    if request.method == "POST":
        made = submit(
            form,
            lambda data: create_policy(
                actor=request.actor, now=clock.now(), name=data["name"], objectives=form.objectives()
            ),
        )
        if made is not None:
            messages.info(request, f"{made.policy.name} can be promised now.")
            return htmx.redirect(request, reverse("partner_portal:policies"))
    return render(request, "partner_portal/policy_add.html", {"form": form, "crumbs": _policy_crumbs()})


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "sla.view")
def show_policy(request: ActorRequest, policy_id: UUID) -> HttpResponse:
    policy = get_policy(policy_id)
    versions = list(policy.versions.order_by("-number"))
    form = PolicyForm(request.POST or None, initial=PolicyForm.initial_of(versions[0]), is_revision=True)
    if request.method == "POST":
        request.actor.require("sla.manage")
        made = submit(
            form,
            lambda data: revise_policy(
                actor=request.actor, now=clock.now(), policy=policy, objectives=form.objectives()
            ),
        )
        if made is not None:
            messages.info(
                request, f"Version {made.number} is there. Customers keep theirs until you promise it to them."
            )
            return htmx.redirect(request, reverse("partner_portal:policy", args=[policy.pk]))
    history = [(version, _promises(version)) for version in versions]
    crumbs = _policy_crumbs()
    return render(
        request, "partner_portal/policy.html", {"policy": policy, "form": form, "history": history, "crumbs": crumbs}
    )


def _policy_crumbs() -> list[tuple[str, str]]:
    return [("SLA", reverse("partner_portal:sla")), ("Policies", reverse("partner_portal:policies"))]
