"""Many merges at once: ids from a file, or a customer that joins another. Looked at, carried out, undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.canonical.models import CanonicalRecord, MergeOutcome, MergePlan, MergePlanSource, PlannedMerge
from apps.canonical.plan_selectors import (
    count_outcomes,
    get_merge_plan,
    get_planned_row,
    list_merge_plans,
    plan_progress,
    planned_rows,
    records_of,
)
from apps.canonical.selectors import search_records
from apps.connectors.models import Connection
from apps.core import clock
from apps.core.errors import NotVisible
from apps.customers.models import EnvironmentKind
from apps.customers.selectors import get_customer
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.forms.id_pairs import IdPairsForm
from apps.partner_portal.forms.merge_plans import JoiningForm
from apps.partner_portal.lists.runs import customer_choices
from apps.partner_portal.views.stewardship import TABS
from apps.sync.selectors import list_records
from apps.sync.services import apply_plan, decide_row, discard_plan, request_joining, request_pairs, undo_plan
from apps.ui import htmx
from apps.ui.differences import field_name
from apps.ui.filters import Filter, parse_filters
from apps.ui.paging import page_queryset
from apps.ui.status import status_of
from apps.ui.tables import Column, build_table

PLAN_TONES = {
    "checking": "info", "ready": "attention", "applying": "info", "applied": "ok", "undoing": "info", "undone": "idle",
}  # fmt: skip
OUTCOME_TONES = {
    "merge": "ok", "link": "ok", "known": "idle", "ask": "attention", "new": "idle", "conflict": "failing",
    "error": "failing",
}  # fmt: skip
LISTED = 20
FOUND = 8
PLANS = (
    Column("plan", "What", value=str, sub=lambda plan: _sub(plan), main=True),
    Column("total", "Records", "number", value="total"),
    Column("state", "State", "status", value=lambda plan: plan_status(plan)),
    Column("by", "By", value="requested_by_label", wide_only=True),
    Column("at", "Prepared", "datetime", value="requested_at"),
)
JOINING_ROWS = (
    Column("left", "Record that comes", value="left_title", sub=lambda row: row.get_entity_display(), main=True),
    Column("right", "Meets", value="right_title", sub=lambda row: _why(row)),
    Column("contested", "Both say", value=lambda row: ", ".join(map(field_name, row.contested)), clip=True),
    Column("outcome", "What becomes of it", "status", value=lambda row: outcome_status(row), sub="message"),
)
PAIR_ROWS = (
    Column("line", "Line", "number", value="position", shrink=True, wide_only=True),
    Column("left", "First", value="left_key", sub="left_title", main=True),
    Column("right", "Second", value="right_key", sub="right_title"),
    Column("outcome", "Outcome", "status", value=lambda row: outcome_status(row), sub="message"),
)


def plan_status(plan: MergePlan) -> Any:
    return status_of(plan.status, label=str(plan.get_status_display()), tone=PLAN_TONES[plan.status])


def outcome_status(row: PlannedMerge) -> Any:
    label = "Not looked at yet" if not row.outcome else str(row.get_outcome_display())
    return status_of(row.outcome or "waiting", label=label, tone=OUTCOME_TONES.get(row.outcome, "idle"))


def _sub(plan: MergePlan) -> str:
    return (
        str(plan.environment.get_kind_display())
        if plan.is_joining
        else f"{plan.customer} · {plan.get_entity_display()}"
    )


def _why(row: PlannedMerge) -> str:
    if row.by_hand:
        return "Decided by hand"
    return ", ".join(str(reason["label"]) for reason in row.reasons)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def show_joinings(request: ActorRequest) -> HttpResponse:
    form = JoiningForm(list(customer_choices(request)), request.POST or None)
    if request.method == "POST":
        plan = submit(form, lambda data: _request_joining(request, data))
        if plan is not None:
            return htmx.redirect(request, _url(plan))
    return _show_list(request, MergePlanSource.CUSTOMERS, "joinings", form)


def _request_joining(request: ActorRequest, data: dict[str, Any]) -> MergePlan:
    customer, other = (get_customer(request.actor, UUID(data[name])) for name in ("customer", "other"))
    kind = EnvironmentKind(data["kind"])
    return request_joining(actor=request.actor, now=clock.now(), customer=customer, other=other, kind=kind)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def show_pairs(request: ActorRequest) -> HttpResponse:
    visible = Connection.objects.visible_to(request.actor).filter(archived_at=None)
    found = visible.select_related("customer", "environment").order_by("customer__name", "name", "id")
    connections = {str(c.pk): c for c in found}
    choices = [(key, f"{c.customer.name} · {c.name} ({c.environment.kind})") for key, c in connections.items()]
    form = IdPairsForm(choices, request.POST or None, request.FILES or None)
    if request.method == "POST":
        plan = submit(
            form,
            lambda data: request_pairs(
                actor=request.actor, now=clock.now(), entity=data["entity"], left=connections[data["left"]],
                right=connections[data["right"]], text=data["text"],
            ),
        )  # fmt: skip
        if plan is not None:
            return htmx.redirect(request, _url(plan))
    return _show_list(request, MergePlanSource.ID_PAIRS, "id_pairs", form)


def _show_list(request: ActorRequest, source: MergePlanSource, tab: str, form: Any) -> HttpResponse:
    plans = list(list_merge_plans(request.actor, source)[:LISTED])
    table = build_table(plans, PLANS, caption="Earlier ones", noun="plans", url=_url)
    context = {"form": form, "table": table, "tabs": TABS.of(request, tab)}
    return render(request, f"partner_portal/{tab}.html", context, status=422 if form.errors else 200)


@require_GET
@requires(Audience.STAFF, "records.view")
def show_plan(request: ActorRequest, merge_plan_id: UUID) -> HttpResponse:
    plan = get_merge_plan(request.actor, merge_plan_id)
    counts = count_outcomes(plan)
    labels = dict(MergeOutcome.choices)
    filters = parse_filters(
        request, [Filter("outcome", "Outcome", [(key, labels[key]) for key in counts])], target_id="plan",
        search_placeholder="Name" if plan.is_joining else "Name or id",
    )  # fmt: skip
    page = page_queryset(
        planned_rows(plan, list(filters.chosen("outcome")), filters.search), request, order=("rank", "position")
    )
    table = build_table(
        page.items, JOINING_ROWS if plan.is_joining else PAIR_ROWS, caption="Records", noun="records",
        url=(lambda row: reverse("partner_portal:merge_plan_row", args=[plan.pk, row.position])),
    )  # fmt: skip
    context = {
        "plan": plan, "status": plan_status(plan), "filters": filters, "page": page, "table": table,
        "tiles": [(labels[key], count) for key, count in counts.items()], "progress": plan_progress(plan),
        "poll_url": _url(plan) if plan.is_working else "", "crumbs": _crumbs(plan),
        "may_act": request.actor.can("integrations.manage") and request.actor.can("errors.resolve"),
        "title": _title(plan), "is_idle": not plan.is_joining and not {"merge", "link"} & counts.keys(),
    }  # fmt: skip
    return htmx.render_page(request, "partner_portal/merge_plan.html", "partner_portal/_merge_plan.html", context)


@require_GET
@requires(Audience.STAFF, "records.view")
def show_row(request: ActorRequest, merge_plan_id: UUID, line: int) -> HttpResponse:
    plan = get_merge_plan(request.actor, merge_plan_id)
    row = get_planned_row(plan, line)
    left, right = records_of(row)
    may_decide = plan.is_joining and plan.status == "ready" and request.actor.can("errors.resolve")
    text = request.GET.get("q", "").strip()
    context = {
        "plan": plan, "row": row, "left": left, "right": right, "status": outcome_status(row), "why": _why(row),
        "heading": row.left_title or row.left_key, "fields": _fields(left, right),
        "may_decide": may_decide and request.actor.can("integrations.manage"),
        "text": text, "found": _search(request, plan, row, text) if text and may_decide else [],
        "crumbs": [*_crumbs(plan), (_title(plan), _url(plan))],
    }  # fmt: skip
    return render(request, "partner_portal/merge_plan_row.html", context)


def _fields(left: CanonicalRecord | None, right: CanonicalRecord | None) -> list[tuple[str, Any, Any]]:
    first, second = (left.data if left else {}), (right.data if right else {})
    return [(name, first.get(name), second.get(name)) for name in dict.fromkeys([*second, *first])]


def _search(request: ActorRequest, plan: MergePlan, row: PlannedMerge, text: str) -> list[CanonicalRecord]:
    own = list_records(request.actor).filter(environment=plan.environment, entity=row.entity)
    return list(search_records(own, text).order_by("title", "id")[:FOUND])


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def decide(request: ActorRequest, merge_plan_id: UUID, line: int) -> HttpResponse:
    plan = get_merge_plan(request.actor, merge_plan_id)
    row = get_planned_row(plan, line)
    right_id = _uuid(request.POST.get("right", ""))
    return perform(
        request,
        lambda: decide_row(actor=request.actor, now=clock.now(), plan=plan, row=row, right_id=right_id),
        done="Noted. It is done when the plan is carried out.",
        next_url=_url(plan),
    )


def _uuid(text: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise NotVisible("There is no such record.") from None


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def carry_out(request: ActorRequest, merge_plan_id: UUID) -> HttpResponse:
    prefers_other = request.POST.get("right") == "other"
    return _act(
        request, merge_plan_id,
        lambda plan: apply_plan(actor=request.actor, now=clock.now(), plan=plan, prefers_other=prefers_other),
    )  # fmt: skip


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def undo(request: ActorRequest, merge_plan_id: UUID) -> HttpResponse:
    return _act(request, merge_plan_id, lambda plan: undo_plan(actor=request.actor, now=clock.now(), plan=plan))


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def discard(request: ActorRequest, merge_plan_id: UUID) -> HttpResponse:
    plan = get_merge_plan(request.actor, merge_plan_id)
    return perform(
        request,
        lambda: discard_plan(actor=request.actor, now=clock.now(), plan=plan),
        done="Discarded. Nothing was changed.",
        next_url=_list_url(plan),
    )


def _act(request: ActorRequest, plan_id: UUID, act: Callable[[MergePlan], object]) -> HttpResponse:
    plan = get_merge_plan(request.actor, plan_id)
    return perform(request, lambda: act(plan), done="", next_url=_url(plan))


def _url(plan: MergePlan) -> str:
    return reverse("partner_portal:merge_plan", args=[plan.pk])


def _list_url(plan: MergePlan) -> str:
    return reverse("partner_portal:joinings" if plan.is_joining else "partner_portal:id_pairs")


def _title(plan: MergePlan) -> str:
    return str(plan) if plan.is_joining else f"Ids of {plan}"


def _crumbs(plan: MergePlan) -> list[tuple[str, str]]:
    name = "Joined customers" if plan.is_joining else "Import of ids"
    return [("Stewardship", reverse("partner_portal:questions")), (name, _list_url(plan))]
