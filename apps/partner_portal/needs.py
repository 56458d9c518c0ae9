"""What needs a person, as lines of the needs-list component."""

from __future__ import annotations

from dataclasses import dataclass

from apps.connectors.models import Connection, ConnectionStatus
from apps.customers.models import Customer
from apps.monitoring.selectors import Standing
from apps.partner_portal.selectors.health import WITH_ERRORS, CustomerHealth, FlowFreshness
from apps.ui.formatting import money_text
from apps.ui.links import link_to
from apps.ui.status import Tone


@dataclass(frozen=True, slots=True)
class Need:
    title: str
    text: str
    tone: str
    url: str
    action_label: str


def customer_needs(health: CustomerHealth, flows: list[FlowFreshness]) -> list[Need]:
    """Broken connections first: everything behind them waits."""
    needs = [connection_need(connection) for connection in health.broken_connections]
    needs += [
        Need(
            f"{fresh.flow.name}: {fresh.text.lower()}",
            fresh.flow.integration.name,
            str(fresh.tone),
            link_to("partner_portal:integration")(fresh.flow.integration_id),
            "Open",
        )
        for fresh in flows
        if fresh.flow.is_enabled and fresh.tone in (Tone.FAILING, Tone.ATTENTION) and fresh.text != WITH_ERRORS
    ]
    if health.open_error_count:
        needs.append(
            errors_need(health, f"{count_of(health.open_error_count, 'record')} could not be brought into step")
        )
    return needs


def connection_need(connection: Connection, *, owner: str = "") -> Need:
    url = link_to("partner_portal:connection")(connection.pk)
    where = f"{connection.name} at {owner}" if owner else connection.name
    if connection.status == ConnectionStatus.NEEDS_REAUTHORIZATION:
        return Need(f"{where} needs re-authorization", connection.status_reason, "failing", url, "Re-authorize")
    return Need(f"{where} is degraded", connection.status_reason, "attention", url, "Open")


def errors_need(health: CustomerHealth, title: str) -> Need:
    url = link_to("partner_portal:customer_errors")(health.customer.pk)
    return Need(title, "Each has a cause and a next step", "attention", url, "Review")


def exceptions_need(standing: Standing, customer: Customer, *, across: bool) -> Need:
    where = f" at {customer.name}" if across else ""
    stakes = " + ".join(money_text(stake.amount, stake.currency) for stake in standing.stakes if stake.amount)
    text = f"{stakes} at stake" if stakes else "What should have followed has not"
    url = link_to("partner_portal:customer_exceptions")(customer.pk)
    return Need(f"{count_of(standing.count, 'exception')}{where}", text, "attention", url, "Review")


def count_of(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
