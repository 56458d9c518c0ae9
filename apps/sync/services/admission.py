"""Whether a run that was just claimed may work now: its systems in use, none of them failing, a place free."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from apps.connectors.models import ConnectionStatus
from apps.connectors.services import CircuitOpen, pass_circuit
from apps.core.bulk import fetch_rows
from apps.sync.engine.claim import STALE_AFTER
from apps.sync.engine.context import RunContext
from apps.sync.engine.errors import RunDeferred
from apps.sync.engine.waiting import left_alone
from apps.sync.models import HeldBy, RunLimits, SyncRun

PLACE_SECONDS = (2.0, 4.0)
# Others that work now. Read after our own claim is committed: of two that take the last place at once, the later sees the
# earlier, so that there are never more than the limit (both may step back; they come again at different moments).
_OTHERS = """
SELECT count(*), count(*) FILTER (WHERE customer_id = %(customer)s) FROM sync_syncrun
WHERE status = 'running' AND id <> %(run)s AND heartbeat_at >= %(alive)s
"""
_AT_CONNECTION = """
SELECT count(DISTINCT run.id) FROM sync_syncrun run
JOIN flows_flow flow ON flow.id = run.flow_id JOIN flows_rolebinding bound ON bound.integration_id = flow.integration_id
WHERE run.status = 'running' AND run.id <> %(run)s AND run.heartbeat_at >= %(alive)s
  AND bound.connection_id = ANY(%(connections)s)
GROUP BY bound.connection_id ORDER BY 1 DESC LIMIT 1
"""


def admit(context: RunContext, run: SyncRun, limits: RunLimits) -> None:
    """Raises RunDeferred with what the run waits for, or what trying a failing system out raises."""
    _require_a_place(context, run, limits)
    for system in context.systems.values():
        context.active = system
        if system.connection.status == ConnectionStatus.PAUSED and system.connection.archived_at is None:
            name = system.connection.name
            raise RunDeferred(
                None, f"{name} is paused. The run goes on when it is resumed.", held_by=HeldBy.PAUSE
            )  # fmt: skip
        try:
            pass_circuit(system.connection, context.now())
        except CircuitOpen as error:
            raise left_alone(system.connection.name, error.until) from error
    context.active = None


def _require_a_place(context: RunContext, run: SyncRun, limits: RunLimits) -> None:
    values = {"run": run.pk, "customer": run.customer_id, "alive": context.now() - STALE_AFTER}
    if limits.per_partner is not None or limits.per_customer is not None:
        all_runs, of_customer = fetch_rows(_OTHERS, values)[0]
        _require(context, all_runs, limits.per_partner, "runs are under way")
        _require(context, of_customer, limits.per_customer, "runs of this customer are under way")
    if limits.per_connection is not None:
        connections = [system.connection.pk for system in context.systems.values()]
        rows: list[Any] = list(fetch_rows(_AT_CONNECTION, {**values, "connections": connections}))
        _require(context, rows[0][0] if rows else 0, limits.per_connection, "runs work with the same system")


def _require(context: RunContext, others: int, limit: int | None, what: str) -> None:
    if limit is None or others < limit:
        return
    wait = timedelta(seconds=random.uniform(*PLACE_SECONDS))  # noqa: S311 - jitter
    reason = f"{others:,} {what}, which is the most at once. It begins as soon as one of them ends."
    raise RunDeferred(context.now() + wait, reason, held_by=HeldBy.PLACE)
