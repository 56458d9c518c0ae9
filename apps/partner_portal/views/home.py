"""What needs me now?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.billing.revenue import Movement
from apps.core import clock
from apps.core.actor import Actor
from apps.customers.models import Customer, Lifecycle
from apps.customers.selectors import list_customers
from apps.monitoring.selectors import read_standing, with_standing
from apps.partner_portal.lists.revenue import movement_text
from apps.partner_portal.needs import Need, connection_need, count_of, errors_need, exceptions_need
from apps.partner_portal.request import partner_of
from apps.partner_portal.selectors.health import CustomerHealth, customer_health
from apps.partner_portal.selectors.home import drafts_to_review, records_by_day
from apps.partner_portal.selectors.revenue import recurring_now
from apps.partner_portal.selectors.sla import SlaStanding, recent_standings
from apps.ui.charts import HeatCell
from apps.ui.formatting import money_text
from apps.ui.links import address_of, link_to
from apps.ui.status import Tone
from apps.ui.tables import Column, Table, build_table

MOST_NEEDS = 12
# So many stand in a table with their facts; more are a strip that shows the one that is not well.
FEW_CUSTOMERS = 10
_FACTS = (
    Column("name", "Customer", value="customer.name", main=True),
    Column("health", "Health", "status", value="status"),
    Column("integrations", "Live integrations", "number", value="live_count"),
    Column("errors", "Open errors", "number", value="open_error_count"),
    Column("fresh", "In step until", "datetime", value="in_step_until"),
)


@require_GET
@requires(Audience.STAFF)
def show_home(request: ActorRequest) -> HttpResponse:
    now, actor = clock.now(), request.actor
    customers = _customers(actor, now)
    health = list(customer_health(actor, customers, now).values()) if actor.can("integrations.view") else []
    promises = list(recent_standings(actor, customers, now).values()) if actor.can("sla.view") else []
    needs = _needs(actor, health, promises, _exceptions(customers))
    onboarding = [customer for customer in customers if customer.lifecycle == Lifecycle.ONBOARDING]
    context: dict[str, Any] = {
        "customers": customers,
        "needs": needs[:MOST_NEEDS],
        "more_needs": max(0, len(needs) - MOST_NEEDS),
        "cells": [_cell(one) for one in health],
        "table": _table(health) if health and len(health) <= FEW_CUSTOMERS else None,
        "at_risk": [promise for promise in promises if promise.is_at_risk or not promise.is_met],
        "onboarding": onboarding[:MOST_NEEDS],
        "more_onboarding": max(0, len(onboarding) - MOST_NEEDS),
        "tiles": _tiles(actor, health, now, partner_of(request).time_zone),
    }
    return render(request, "partner_portal/home.html", context)


def _customers(actor: Actor, now: datetime) -> list[Customer]:
    if not actor.can("customers.view"):
        return []
    found = list_customers(actor)
    return list(with_standing(found, actor, now) if actor.can("exceptions.view") else found)


def _exceptions(customers: list[Customer]) -> list[Need]:
    """One line per customer, the one with the most first."""
    standings = [(read_standing(customer), customer) for customer in customers]
    standings.sort(key=lambda found: -found[0].count)
    return [exceptions_need(one, customer, across=True) for one, customer in standings if one.count]


def _needs(
    actor: Actor, health: list[CustomerHealth], promises: list[SlaStanding], exceptions: list[Need]
) -> list[Need]:
    """What stops a customer first, then promises at risk, then money."""
    needs = [
        connection_need(connection, owner=one.customer.name) for one in health for connection in one.broken_connections
    ]
    failing = [one for one in health if one.tone is Tone.FAILING and not one.broken_connections]
    needs += [_failing_need(one) for one in failing]
    needs += [_promise_need(promise) for promise in promises if not promise.is_met]
    needs += [
        errors_need(
            one, f"{count_of(one.open_error_count, 'record')} at {one.customer.name} could not be brought into step"
        )
        for one in sorted(health, key=lambda one: -one.open_error_count)
        if one.open_error_count
    ]
    return [*needs, *exceptions, *_money_needs(actor)]


def _failing_need(one: CustomerHealth) -> Need:
    url = link_to("partner_portal:customer")(one.customer.pk)
    return Need(f"{one.customer.name} is out of step", one.reasons[0], "failing", url, "Open")


def _promise_need(promise: SlaStanding) -> Need:
    url = link_to("partner_portal:customer_sla")(promise.customer.pk)
    return Need(f"{promise.customer.name} is missing its service level", promise.summary, "attention", url, "Open")


def _money_needs(actor: Actor) -> list[Need]:
    if not actor.can("billing.view"):
        return []
    return [
        Need(
            f"Invoice for {invoice.account.legal_name} waits for review",
            money_text(invoice.total_amount, invoice.currency),
            "info",
            link_to("partner_portal:invoice")(invoice.pk),
            "Review",
        )
        for invoice in drafts_to_review(actor)[:10]
    ]


def _cell(one: CustomerHealth) -> HeatCell:
    return HeatCell(
        one.customer.name, str(one.tone), link_to("partner_portal:customer")(one.customer.pk), one.status.label
    )


def _table(health: list[CustomerHealth]) -> Table:
    rows = sorted(health, key=lambda one: one.customer.name.casefold())
    return build_table(
        rows, _FACTS, caption="All customers", noun="customers",
        url=lambda one: link_to("partner_portal:customer")(one.customer.pk),
    )  # fmt: skip


def _tiles(actor: Actor, health: list[CustomerHealth], now: datetime, zone: str) -> list[dict[str, Any]]:
    tiles = []
    if actor.can("runs.view"):
        written = records_by_day(actor, now)
        tiles.append(
            {
                "label": "Records brought into step", "period": "today", "value": f"{written.today:,}",
                "foot": f"{written.usual:,} on a usual day · last 14 days",
                "trend": written.counts, "url": address_of("partner_portal:runs"),
            }
        )  # fmt: skip
        well = sum(one.tone in (Tone.OK, Tone.INFO) for one in health)
        served = sum(one.tone is not Tone.IDLE for one in health)
        tiles.append({"label": "Customers in step", "period": "now", "value": str(well), "foot": f"of {served} live"})
        errors = sum(one.open_error_count for one in health)
        where = count_of(sum(one.open_error_count > 0 for one in health), "customer")
        tiles.append(
            {
                "label": "Open errors", "period": "now", "value": f"{errors:,}",
                "foot": f"at {where}" if errors else "nothing is broken", "url": address_of("partner_portal:errors"),
            }
        )  # fmt: skip
    if actor.can("billing.view"):
        tiles += [_revenue_tile(found) for found in recurring_now(actor, zone, now)]
    return tiles


def _revenue_tile(moved: Movement) -> dict[str, Any]:
    change = movement_text(moved.change, moved.currency)
    return {
        "label": "Monthly recurring revenue", "value": money_text(moved.closing, moved.currency),
        "foot": f"{change} · {count_of(moved.customer_count, 'customer')}", "url": address_of("partner_portal:billing"),
    }  # fmt: skip
