"""Records that a person releases before they are written: what is released passes, what is new or changed asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.canonical.workspace import State
from apps.flows.binding import NotOffered, sink_of
from apps.flows.definition import ApproveSpec
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.hashing import digest
from apps.sync.models import ApprovalRequest, ApprovalStatus

Place = tuple[str, UUID, str]  # entity, connection, sink


@dataclass(frozen=True)
class Gate:
    """Stands before one sink for one entity, whoever wants the write: a rule, or another record that needs it there."""

    context: RunContext
    spec: ApproveSpec
    system: BoundSystem

    def holds_back(self, states: Iterable[State], now: datetime) -> set[UUID]:
        """This method will ask about what is new or changed; returns the records that wait."""
        wanted = {state.id: state for state in states}
        newest = self._newest(list(wanted))
        held: set[UUID] = set()
        for record_id, state in wanted.items():
            known, current = newest.get(record_id), shown_digest(self.spec, state.data)
            if known is None or known.digest != current:
                self._ask(state, known, current, now)
                held.add(record_id)
            elif known.status != ApprovalStatus.RELEASED:
                held.add(record_id)
        return held

    def _newest(self, record_ids: list[UUID]) -> dict[UUID, ApprovalRequest]:
        asked = ApprovalRequest.objects.filter(flow=self.context.flow, step=self.spec.key, record_id__in=record_ids)
        return {found.record_id: found for found in asked.order_by("asked_at", "id")}

    def _ask(self, state: State, known: ApprovalRequest | None, current: str, now: datetime) -> None:
        if known is not None and known.status == ApprovalStatus.OPEN:
            known.status, known.decided_at, known.decided_by_label = ApprovalStatus.CHANGED, now, "System"
            known.save(update_fields=["status", "decided_at", "decided_by_label"])
        flow = self.context.flow
        ApprovalRequest.objects.create(
            customer_id=flow.customer_id, environment_id=flow.environment_id, flow=flow, step=self.spec.key,
            audience=self.spec.by, question=self.spec.question[:300], record_id=state.id, entity=state.entity,
            title=state.title[:250], target=self.system.connection.name, shown=shown(self.spec, state.data),
            digest=current, asked_at=now,
        )  # fmt: skip


def gates_of(context: RunContext) -> dict[Place, Gate]:
    """The flow's gates by what they stand before; none in a dry run, which shows what would be asked for."""
    if "gates" not in context.caches:
        context.caches["gates"] = {} if context.is_dry else dict(_gates(context))
    found: dict[Place, Gate] = context.caches["gates"]
    return found


def _gates(context: RunContext) -> Iterable[tuple[Place, Gate]]:
    for rule in context.spec.rules:
        if rule.approve is None or rule.write is None:
            continue
        system = context.systems[rule.write.role]
        try:
            sink = sink_of(system.manifest, rule.write, rule.on)
        except NotOffered:
            continue  # an optional write that its system does not take
        yield (rule.on, system.connection.pk, sink.name), Gate(context, rule.approve, system)


def shown(spec: ApproveSpec, data: dict[str, Any]) -> dict[str, Any]:
    return {name: data.get(name) for name in spec.show}


def shown_digest(spec: ApproveSpec, data: dict[str, Any]) -> str:
    return digest(shown(spec, data))
