"""The error desk's groups, for all customers or for one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils.safestring import SafeString

from apps.accounts.access import ActorRequest
from apps.core import clock
from apps.partner_portal.exports import FORMATS, MAX_ROWS, export_table
from apps.partner_portal.forms.errors import NOBODY, colleagues
from apps.partner_portal.lists.runs import customer_choices, integration_choices
from apps.partner_portal.selectors.failures import FailureGroup, describe_causes, page_of_causes
from apps.sync.desk import awake, snoozed
from apps.sync.models import UNSOLVED, ErrorClass, FailureStatus, RecordFailure
from apps.sync.selectors import explain_failure
from apps.ui.filters import Filter, FilterState, parse_filters
from apps.ui.links import link_to
from apps.ui.part_markup import sparkline
from apps.ui.tables import Column, build_table

STATES = (
    ("open", "Needs attention"), ("snoozed", "Snoozed"), ("ignored", "Left as it is"), ("resolved", "Resolved"),
)  # fmt: skip


def cause_of(group: FailureGroup) -> str:
    return explain_failure(group.example).cause


def next_step_of(group: FailureGroup) -> str:
    return explain_failure(group.example).next_step


def trend_markup(trend: list[int]) -> SafeString:
    return sparkline(trend, label="New in 14 days")


COLUMNS = (
    Column("cause", "What happened", value=cause_of, sub=next_step_of, main=True),
    Column("count", "Records", "number"),
    Column("trend", "New, 14 days", draw=trend_markup, wide_only=True),
    Column("class", "Class", "tag", value=lambda group: group.example.get_error_class_display()),
    Column("system", "System", value="example.connection.name", sub="example.flow.name", wide_only=True),
    Column("customers", "Customers", value="customers_text"),
    Column("assignee", "Looked after by", value="assignees_text", wide_only=True),
    Column("first_at", "First", "datetime", wide_only=True),
    Column("last_at", "Last", "datetime"),
)
RECORDS = (
    Column("id", "Id", "id"),
    Column("record", "Record", value="name", main=True),
    Column("customer", "Customer", value="customer.name"),
    Column("object", "Object", value="object_name"),
    Column("state", "State", value="status"),
    Column("class", "Class", value="error_class"),
    Column("code", "Code"),
    Column("message", "Message"),
    Column("system", "System", value="connection.name"),
    Column("flow", "Flow", value="flow.name"),
    Column("assignee", "Looked after by", value="assignee_label"),
    Column("attempts", "Attempts", "number"),
    Column("first_at", "First", "datetime"),
    Column("last_at", "Last", "datetime"),
)


def failure_filters(request: ActorRequest, *, across: bool) -> FilterState:
    own = [Filter("state", "State", STATES, single=True), Filter("class", "Class", ErrorClass.choices)]
    if across:
        own.append(Filter("customer", "Customer", customer_choices(request), icon="users"))
        own.append(Filter("integration", "Integration", integration_choices(request), icon="route"))
    own.append(Filter("assignee", "Looked after by", [(NOBODY, "Nobody"), *colleagues()], icon="user"))
    return parse_filters(request, own, search_placeholder="Message, code or record", exports=FORMATS)


def narrow(failures: QuerySet[RecordFailure], filters: FilterState) -> QuerySet[RecordFailure]:
    """What the filters ask for; without a state, what is unsolved and not snoozed."""
    failures = in_state(failures, filters.first("state"))
    for key, field in (("class", "error_class"), ("customer", "customer_id"), ("integration", "flow__integration_id")):
        if filters.chosen(key):
            failures = failures.filter(**{f"{field}__in": filters.chosen(key)})
    if people := filters.chosen("assignee"):
        ids = [UUID(person) for person in people if person != NOBODY]
        failures = failures.filter(Q(assignee_id__in=ids) | (Q(assignee_id=None) if NOBODY in people else Q(pk=None)))
    if text := filters.search:
        failures = failures.filter(
            Q(message__icontains=text) | Q(record_title__icontains=text) | Q(code__iexact=text) | Q(external_id=text)
        )
    return failures


def in_state(failures: QuerySet[RecordFailure], state: str) -> QuerySet[RecordFailure]:
    """`state` is one of STATES; open when it says nothing."""
    if state in (FailureStatus.IGNORED, FailureStatus.RESOLVED):
        return failures.filter(status=state)
    now = clock.now()
    return failures.filter(snoozed(now)) if state == "snoozed" else failures.filter(awake(now), status__in=UNSOLVED)


def errors_context(
    request: ActorRequest, failures: QuerySet[RecordFailure], *, across: bool = False, customer_id: str = ""
) -> dict[str, Any] | HttpResponse:
    """Groups by cause, or the failures themselves as a file. Inside one customer the group's page keeps to it as well."""
    filters = failure_filters(request, across=across)
    found = narrow(failures, filters)
    if request.GET.get("format") in FORMATS:
        rows: Any = found.select_related("customer", "connection", "flow").order_by("-last_at", "-id")[: MAX_ROWS + 1]
        return export_table(build_table(rows, RECORDS, caption=""), name="errors", format=request.GET["format"])
    page, extent = page_of_causes(found, request)
    groups = describe_causes(page.items, found, seen=failures, now=clock.now())
    kept = {"customer": customer_id, "state": filters.first("state")}
    scope = "&".join(f"{key}={value}" for key, value in kept.items() if value)
    columns = COLUMNS if across else tuple(column for column in COLUMNS if column.key != "customers")
    table = build_table(
        groups, columns, caption="Failed records by cause", noun="causes", total=extent.cause_count,
        url=lambda group: link_to("partner_portal:error_group")(group.fingerprint) + (f"?{scope}" if scope else ""),
    )  # fmt: skip
    return {
        "filters": filters, "table": table, "page": page, "record_count": extent.record_count, "is_desk": True,
        "open_count": extent.open_count,
    }  # fmt: skip
