"""What an endpoint was told: the log, one delivery with its attempts, and sending again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import AnticipatedError
from apps.notifications.models import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint
from apps.notifications.schedule import MOST_ATTEMPTS
from apps.notifications.selectors import get_delivery, get_endpoint, list_deliveries
from apps.notifications.services import Selection, replay_delivery, replay_selection
from apps.partner_portal.actions import perform
from apps.partner_portal.needs import count_of
from apps.partner_portal.views.webhooks import customer_names, endpoint_status, hears_text
from apps.ui import htmx
from apps.ui.filters import PERIOD_SECONDS, Filter, FilterState, parse_filters, period
from apps.ui.paging import page_queryset
from apps.ui.status import Status, Tone, status_of
from apps.ui.tables import Column, build_table

ENDED = (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.WITHDRAWN)
UNDELIVERED = (DeliveryStatus.FAILED, DeliveryStatus.WITHDRAWN)


def delivery_status(delivery: WebhookDelivery) -> Status:
    if delivery.status == DeliveryStatus.DELIVERED:
        return Status("Delivered", Tone.OK, "circle-check")
    if delivery.status == DeliveryStatus.FAILED:
        return Status("Not delivered", Tone.FAILING, "alert-circle")
    if delivery.status == DeliveryStatus.WITHDRAWN:
        return Status("Withdrawn", Tone.IDLE, "circle-dashed")
    if delivery.attempt_count:
        return Status("Trying again", Tone.ATTENTION, "alert-triangle")
    return Status("Waiting", Tone.INFO, "clock")


def _answer(delivery: WebhookDelivery) -> str:
    return delivery.last_error or (f"Answered {delivery.last_status}." if delivery.last_status else "")


COLUMNS = (
    Column("event", "Event", value=lambda d: f"{d.event_type} (test)" if d.is_test else d.event_type, sub="message_id", main=True),
    Column("status", "State", "status", value=delivery_status),
    Column("answer", "Last answer", value=_answer, clip=True),
    Column("attempts", "Attempts", "number", value="attempt_count", wide_only=True),
    Column("next_at", "Next attempt", "datetime", wide_only=True),
    Column("occurred_at", "Happened", "datetime"),
)  # fmt: skip


@require_GET
@requires(Audience.STAFF, "webhooks.view")
def show_endpoint(request: ActorRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = get_endpoint(request.actor, endpoint_id)
    filters = _filters(request, endpoint)
    found = _narrow(list_deliveries(request.actor, endpoint), filters)
    page = page_queryset(found, request, order=("-id",))
    table = build_table(
        page.items, COLUMNS, caption="Deliveries", noun="deliveries",
        url=lambda delivery: reverse("partner_portal:webhook_delivery", args=[delivery.pk]),
    )  # fmt: skip
    again = _narrow(endpoint.deliveries.filter(is_test=False), filters).filter(status__in=_statuses(filters))
    context = {
        "endpoint": endpoint, "status": endpoint_status(endpoint), "filters": filters, "page": page, "table": table,
        "hears": hears_text(endpoint), "customer": customer_names(request, [endpoint]).get(endpoint.customer_id, ""),
        "crumbs": [("Webhooks", reverse("partner_portal:webhooks"))], "again_count": again.count(),
        "may_change": request.actor.can("webhooks.manage"), "is_active": endpoint.status == EndpointStatus.ACTIVE,
        "query": request.GET.urlencode(),
    }  # fmt: skip
    return htmx.render_page(request, "partner_portal/webhook.html", "partner_portal/_webhook_rows.html", context)


def _filters(request: ActorRequest, endpoint: WebhookEndpoint) -> FilterState:
    heard = endpoint.deliveries.order_by("event_type").values_list("event_type", flat=True).distinct()
    return parse_filters(
        request,
        [
            Filter("state", "State", DeliveryStatus.choices),
            Filter("event", "Event", [(name, name) for name in heard]),
            period(),
        ],
        search_placeholder="Filter by message id",
    )


def _narrow(found: QuerySet[WebhookDelivery], filters: FilterState) -> QuerySet[WebhookDelivery]:
    if filters.chosen("state"):
        found = found.filter(status__in=filters.chosen("state"))
    if filters.chosen("event"):
        found = found.filter(event_type__in=filters.chosen("event"))
    since = _since(filters)
    if since:
        found = found.filter(occurred_at__gte=since)
    if filters.search:
        try:
            found = found.filter(event_id=UUID(filters.search.removeprefix("evt_")))
        except ValueError:
            found = found.none()
    return found


def _since(filters: FilterState) -> datetime | None:
    chosen = filters.first("period")
    return clock.now() - timedelta(seconds=PERIOD_SECONDS[chosen]) if chosen else None


def _statuses(filters: FilterState) -> tuple[str, ...]:
    """What sending again is about: the chosen states, or else what was not delivered."""
    chosen = filters.chosen("state")
    return tuple(status for status in ENDED if status in chosen) if chosen else UNDELIVERED


@require_POST
@requires(Audience.STAFF, "webhooks.manage")
def replay_matching(request: ActorRequest, endpoint_id: UUID) -> HttpResponse:
    """Everything the log's filters match."""
    endpoint = get_endpoint(request.actor, endpoint_id)
    filters = _filters(request, endpoint)
    selection = Selection(_statuses(filters), filters.chosen("event"), _since(filters))
    try:
        count = replay_selection(actor=request.actor, now=clock.now(), endpoint=endpoint, selection=selection)
    except AnticipatedError as error:
        messages.error(request, error.user_message)
    else:
        messages.info(request, f"{count_of(count, 'message')} will be sent again, in the order they happened.")
    return htmx.redirect(request, reverse("partner_portal:webhook", args=[endpoint.pk]))


@require_GET
@requires(Audience.STAFF, "webhooks.view")
def show_delivery(request: ActorRequest, delivery_id: UUID) -> HttpResponse:
    delivery = get_delivery(request.actor, delivery_id)
    attempts = [
        {
            "attempt": attempt, "at": datetime.fromisoformat(attempt["at"]),
            "status": status_of("ok" if 200 <= (attempt["status"] or 0) < 300 else "failing", label=str(attempt["status"] or "No answer")),
        }
        for attempt in reversed(delivery.log)
    ]  # fmt: skip
    context = {
        "delivery": delivery, "status": delivery_status(delivery), "attempts": attempts, "most": MOST_ATTEMPTS,
        "body": orjson.loads(delivery.body),
        "can_replay": delivery.status != DeliveryStatus.WAITING and request.actor.can("webhooks.manage"),
        "crumbs": [
            ("Webhooks", reverse("partner_portal:webhooks")),
            (str(delivery.endpoint), reverse("partner_portal:webhook", args=[delivery.endpoint_id])),
        ],
    }  # fmt: skip
    return render(request, "partner_portal/webhook_delivery.html", context)


@require_POST
@requires(Audience.STAFF, "webhooks.manage")
def replay(request: ActorRequest, delivery_id: UUID) -> HttpResponse:
    delivery = get_delivery(request.actor, delivery_id)
    return perform(
        request,
        lambda: replay_delivery(actor=request.actor, now=clock.now(), delivery=delivery),
        done="It is sent again, with the id it had.",
        next_url=reverse("partner_portal:webhook_delivery", args=[delivery.pk]),
    )
