from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.canonical.models import Entity
from apps.customer_portal.selectors.activity import group_by_day, list_activity, tell
from apps.customer_portal.selectors.records import describe_record, facts_of, get_record
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters
from apps.ui.paging import page_queryset


@require_GET
@requires(Audience.CUSTOMER, "records.view")
def activity_list(request: ActorRequest) -> HttpResponse:
    filters = parse_filters(
        request, [Filter("what", "What", Entity.choices)], search_placeholder="Search by name or number"
    )
    found = list_activity(request.actor, search=filters.search, entities=filters.chosen("what"))
    page = page_queryset(found, request, order=("-id",))
    lines = tell(request.actor, page.items)
    context = {
        "filters": filters,
        "page": page,
        "days": group_by_day(lines, lambda at: timezone.localtime(at).date()),
    }
    return htmx.render_page(
        request, "customer_portal/activity_list.html", "customer_portal/_activity_rows.html", context
    )


@require_GET
@requires(Audience.CUSTOMER, "records.view")
def record_detail(request: ActorRequest, record_id: UUID) -> HttpResponse:
    record = get_record(request.actor, record_id)
    context = {
        "crumbs": [("Activity", reverse("customer_portal:activity_list"))],
        "page": describe_record(request.actor, record),
        "facts": facts_of(record),
    }
    return render(request, "customer_portal/record_detail.html", context)
