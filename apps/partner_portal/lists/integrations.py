"""Integrations, of all customers or of one."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from apps.accounts.access import ActorRequest
from apps.flows.models import Flow, Integration, IntegrationStatus
from apps.partner_portal.lists.runs import customer_choices
from apps.sync.models import UNSOLVED, RecordFailure
from apps.ui.filters import Filter, parse_filters
from apps.ui.links import link_to
from apps.ui.paging import page_queryset
from apps.ui.status import Status, status_of
from apps.ui.tables import Column, build_table


def integration_status(integration: Integration) -> Status:
    return status_of(integration.status, label=str(integration.get_status_display()))


def page_url(integration: Integration) -> str:
    """A draft is continued where it was left."""
    if integration.status == IntegrationStatus.DRAFT:
        return reverse("partner_portal:deploy_step", args=[integration.pk, "settings"])
    return link_to("partner_portal:integration")(integration.pk)


def _template(integration: Integration) -> str:
    """Its template, where the name does not say it."""
    name = integration.template_version.template.name
    return "" if name == integration.name else name


COLUMNS = (
    Column("name", "Integration", main=True, sub=_template),
    Column("customer", "Customer", value="customer.name"),
    Column("state", "State", "status", value=integration_status),
    Column("environment", "Environment", "tag", value=lambda i: i.environment.get_kind_display(), wide_only=True),
    Column("flows", "Flows", "number", value="flow_count"),
    Column("fresh", "In step until", "datetime", value="in_step_until"),
    Column("errors", "Open errors", "number", value="error_count"),
    Column("live_at", "Live since", "datetime", wide_only=True),
)


def integrations_context(
    request: ActorRequest, integrations: QuerySet[Integration], *, across: bool = False
) -> dict[str, Any]:
    own = [Filter("state", "State", IntegrationStatus.choices)]
    if across:
        own.append(Filter("customer", "Customer", customer_choices(request), icon="users"))
    filters = parse_filters(request, own, search_placeholder="Filter integrations")
    if filters.chosen("state"):
        integrations = integrations.filter(status__in=filters.chosen("state"))
    else:
        integrations = integrations.exclude(status=IntegrationStatus.RETIRED)
    if filters.chosen("customer"):
        integrations = integrations.filter(customer_id__in=filters.chosen("customer"))
    if filters.search:
        integrations = integrations.filter(
            Q(name__icontains=filters.search) | Q(customer__name__icontains=filters.search)
        )
    page = page_queryset(_with_facts(integrations), request, order=("name", "id"))
    columns = COLUMNS if across else tuple(column for column in COLUMNS if column.key != "customer")
    total = integrations.count()
    table = build_table(page.items, columns, caption="Integrations", noun="integrations", url=page_url, total=total)
    return {"filters": filters, "page": page, "table": table, "total": total}


def _with_facts(integrations: QuerySet[Integration]) -> QuerySet[Integration]:
    flows = Flow.objects.filter(integration=OuterRef("pk"), retired_at=None).order_by().values("integration")
    errors = (
        RecordFailure.objects.filter(flow__integration=OuterRef("pk"), status__in=UNSOLVED)
        .order_by()
        .values("flow__integration")
        .annotate(count=Count("id"))
        .values("count")
    )
    return integrations.select_related("customer", "environment", "template_version__template").annotate(
        flow_count=Coalesce(Subquery(flows.annotate(count=Count("id")).values("count")), 0),
        in_step_until=Subquery(flows.annotate(oldest=Min("in_step_until")).values("oldest")),
        error_count=Coalesce(Subquery(errors), 0),
    )
