"""The list of business exceptions: filters, columns, and what is at stake over all that match."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse

from apps.accounts.access import ActorRequest
from apps.core import clock
from apps.core.money import Money
from apps.monitoring.models import BusinessException, ExceptionStatus
from apps.monitoring.selectors import list_exceptions, list_rules, standing_by, total_of
from apps.partner_portal.exports import FORMATS, MAX_ROWS, export_table
from apps.partner_portal.forms.errors import NOBODY, colleagues
from apps.partner_portal.lists.runs import customer_choices
from apps.ui.filters import Filter, FilterState, parse_filters
from apps.ui.formatting import money_text
from apps.ui.links import link_to
from apps.ui.paging import page_queryset
from apps.ui.status import Status, Tone
from apps.ui.tables import Column, build_table

STATES = (("open", "Needs attention"), ("snoozed", "Snoozed"), ("ignored", "Ignored"), ("resolved", "Resolved"))


def exception_status(exception: BusinessException, now: datetime) -> Status:
    if exception.status == ExceptionStatus.RESOLVED:
        return Status("Resolved", Tone.OK, "circle-check")
    if exception.status == ExceptionStatus.IGNORED:
        return Status("Ignored", Tone.IDLE, "eye-off")
    if exception.is_snoozed(now):
        return Status("Snoozed", Tone.IDLE, "clock")
    return Status("Open", Tone.ATTENTION, "alert-triangle")


def stakes_text(stakes: list[Money]) -> str:
    return " + ".join(money_text(stake.amount, stake.currency) for stake in stakes) or "–"


def _columns(now: datetime, *, across: bool) -> list[Column]:
    columns = [
        Column("record", "Record", value=str, sub="rule.name", main=True),
        Column("state", "State", "status", value=lambda one: exception_status(one, now)),
        Column("stake", "At stake", "money"),
        Column("since", "Since", "datetime"),
        Column("opened_at", "Opened", "datetime", wide_only=True),
        Column("solver", "Theirs to solve", value=lambda one: "Customer" if one.rule.solver == "customer" else "Us", wide_only=True),
        Column("assignee", "Looked after by", value="assignee_label", wide_only=True),
    ]  # fmt: skip
    return [columns[0], Column("customer", "Customer", value="customer.name"), *columns[1:]] if across else columns


def exceptions_context(
    request: ActorRequest, found: QuerySet[BusinessException], *, across: bool
) -> dict[str, Any] | HttpResponse:
    now = clock.now()
    filters = _filters(request, across=across)
    found = _narrow(found, filters, now)
    columns = _columns(now, across=across)
    if request.GET.get("format") in FORMATS:
        table = build_table(found.order_by("-opened_at", "-id")[: MAX_ROWS + 1], columns, caption="Exceptions")
        return export_table(table, name="exceptions", format=request.GET["format"])
    standings = standing_by(found, "rule_id")
    page: Any = page_queryset(found, request, order=("-opened_at", "-id"))
    total = total_of(standings.values())
    table = build_table(
        page.items, columns, caption="Exceptions", noun="exceptions", total=total.count,
        url=lambda one: link_to("partner_portal:exception")(one.pk),
    )  # fmt: skip
    names = {rule.pk: rule.name for rule in list_rules(request.actor)}
    by_rule = [
        {"name": names.get(pk, ""), "count": one.count, "stakes": stakes_text(one.stakes), "oldest": one.oldest}
        for pk, one in sorted(standings.items(), key=lambda item: -item[1].count)
    ]
    return {
        "filters": filters, "page": page, "table": table, "total": total, "stakes": stakes_text(total.stakes),
        "by_rule": by_rule,
    }  # fmt: skip


def _filters(request: ActorRequest, *, across: bool) -> FilterState:
    own = [
        Filter("state", "State", STATES, single=True),
        Filter("rule", "Rule", [(rule.key, rule.name) for rule in list_rules(request.actor)], icon="list-details"),
        Filter("solver", "To solve by", [("partner", "Us"), ("customer", "The customer")], single=True),
        Filter("assignee", "Looked after by", [(NOBODY, "Nobody"), *colleagues()], icon="user"),
    ]
    if across:
        own.insert(2, Filter("customer", "Customer", customer_choices(request), icon="users"))
    return parse_filters(request, own, search_placeholder="Name of the record", exports=FORMATS)


def _narrow(found: QuerySet[BusinessException], filters: FilterState, now: datetime) -> QuerySet[BusinessException]:
    found = _in_state(found, filters.first("state"), now)
    for key, column in (("rule", "rule__key"), ("customer", "customer_id"), ("solver", "rule__solver")):
        if filters.chosen(key):
            found = found.filter(**{f"{column}__in": filters.chosen(key)})
    chosen = filters.chosen("assignee")
    if chosen:
        people = [one for one in chosen if one != NOBODY]
        wanted = Q(assignee_id__in=people) | Q(assignee=None) if NOBODY in chosen else Q(assignee_id__in=people)
        found = found.filter(wanted)
    return found.filter(title__icontains=filters.search) if filters.search else found


def _in_state(found: QuerySet[BusinessException], state: str, now: datetime) -> QuerySet[BusinessException]:
    """Without a state, what needs somebody."""
    if state in ("ignored", "resolved"):
        return found.filter(status=state)
    snoozed = Q(snoozed_until__gt=now)
    found = found.filter(status=ExceptionStatus.OPEN)
    return found.filter(snoozed) if state == "snoozed" else found.exclude(snoozed)


def needing_somebody(request: ActorRequest) -> QuerySet[BusinessException]:
    return list_exceptions(request.actor).needing_somebody(clock.now())
