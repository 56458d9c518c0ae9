"""The error desk's groups, for all customers or for one."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from apps.accounts.access import ActorRequest
from apps.partner_portal.lists.runs import customer_choices
from apps.partner_portal.selectors.failures import FailureGroup, group_failures
from apps.sync.models import ErrorClass, RecordFailure
from apps.sync.selectors import explain_failure
from apps.ui.filters import Filter, parse_filters
from apps.ui.tables import Column, build_table


def cause_of(group: FailureGroup) -> str:
    return explain_failure(group.example).cause


def next_step_of(group: FailureGroup) -> str:
    return explain_failure(group.example).next_step


COLUMNS = (
    Column("cause", "What happened", value=cause_of, sub=next_step_of, main=True),
    Column("count", "Records", "number"),
    Column("class", "Class", "tag", value=lambda group: group.example.get_error_class_display()),
    Column("system", "System", value="example.connection.name", sub="example.flow.name", wide_only=True),
    Column("customers", "Customers", value="customers_text"),
    Column("first_at", "First", "datetime", wide_only=True),
    Column("last_at", "Last", "datetime"),
)


def errors_context(
    request: ActorRequest, failures: QuerySet[RecordFailure], *, across: bool = False, customer_id: str = ""
) -> dict[str, Any]:
    """Groups by cause. Inside one customer the group's page keeps to it as well."""
    own = [Filter("class", "Class", ErrorClass.choices)]
    if across:
        own.append(Filter("customer", "Customer", customer_choices(request), icon="users"))
    filters = parse_filters(request, own, search_placeholder="Message or record")
    if filters.chosen("class"):
        failures = failures.filter(error_class__in=filters.chosen("class"))
    if filters.chosen("customer"):
        failures = failures.filter(customer_id__in=filters.chosen("customer"))
    if filters.search:
        failures = failures.filter(Q(message__icontains=filters.search) | Q(record_title__icontains=filters.search))
    groups = group_failures(failures)
    scope = f"?customer={customer_id}" if customer_id else ""
    columns = COLUMNS if across else tuple(column for column in COLUMNS if column.key != "customers")
    table = build_table(
        groups, columns, caption="Failed records by cause", noun="causes", total=len(groups),
        url=lambda group: reverse("partner_portal:error_group", args=[group.fingerprint]) + scope,
    )  # fmt: skip
    return {"filters": filters, "table": table, "record_count": sum(group.count for group in groups)}
