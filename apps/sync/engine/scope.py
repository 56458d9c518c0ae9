"""Reading something else than what is new: the records of a period, or a single one by its id.

Nothing of this moves the flow's own checkpoint. A period's reading keeps a place of its own, so that it goes on where it
stopped; systems that cannot be asked for a period are read through, and what lies outside of it is passed over. What was
asked for is brought into step even where the record itself did not change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from apps.canonical.references import by_external_id
from apps.connectors.sdk.types import Page, SourceRecord
from apps.core.bulk import execute, json_text
from apps.core.ids import uuid7
from apps.flows.definition import ReadSpec
from apps.sync.engine.claim import effects
from apps.sync.engine.consequences import draw_consequences
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.models import Checkpoint

PERIOD, RECORD = "period", "record"
_SAVE = """
INSERT INTO sync_checkpoint (id, flow_id, connection_id, stream, position, updated_at) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (flow_id, connection_id, stream) DO UPDATE SET position = EXCLUDED.position, updated_at = EXCLUDED.updated_at
"""


def is_wanted(context: RunContext, read: ReadSpec, stream: str) -> bool:
    """Whether the run reads this stream at all."""
    scope = context.scope
    return scope.get("kind") != RECORD or (scope["role"] == read.role and scope["stream"] == stream)


def pages_in_scope(context: RunContext, system: BoundSystem, stream: str, size: int) -> Iterator[Page]:
    """The pages of a run that was asked for a period or a record; their checkpoints are this run's own."""
    if context.scope["kind"] == RECORD:
        record = system.connector.stream(stream).get(context.scope["external_id"])
        yield Page(records=[record] if record else [], checkpoint={})
        return
    first, last = _days(context.scope)
    place = _place(context, system, stream)
    if place and place.get("done"):
        return
    for page in system.connector.stream(stream).read(checkpoint=place.get("at") if place else None, page_size=size):
        fitting = [record for record in page.records if _is_within(record, first, last)]
        yield Page(records=fitting, checkpoint=page.checkpoint)


def _days(scope: dict[str, Any]) -> tuple[datetime, datetime]:
    first, last = datetime.fromisoformat(scope["from"]), datetime.fromisoformat(scope["to"])
    return first, last + timedelta(days=1)


def _is_within(record: SourceRecord, first: datetime, last: datetime) -> bool:
    """Records that do not say when they changed are taken: leaving one out would be worse."""
    return record.modified_at is None or first <= record.modified_at < last


def keep_place(context: RunContext, system: BoundSystem, stream: str, page: Page | None) -> None:
    """This function will keep how far the period was read (None: to its end), and apply the rules to the page."""
    with effects(context) as now:
        if page is not None and page.records:
            _apply_rules(context, system, stream, page, now)
        if context.scope["kind"] == PERIOD:
            position = {"run": str(context.run_id), **({"at": page.checkpoint} if page else {"done": True})}
            execute(
                _SAVE,
                [uuid7(), context.flow.pk, system.connection.pk, _name(stream), json_text(position), now],
            )


def _apply_rules(context: RunContext, system: BoundSystem, stream: str, page: Page, now: datetime) -> None:
    """Also where nothing changed: who asks for a record wants it in step."""
    known = by_external_id(system.connection.pk, stream, [record.external_id for record in page.records])
    workspace = context.workspace()
    ids = list(dict.fromkeys(reference.record_id for reference in known.values()))
    workspace.load(ids)
    draw_consequences(context, workspace, [state for state in map(workspace.find, ids) if state], now)


def _name(stream: str) -> str:
    return f"@period {stream}"[:40]


def _place(context: RunContext, system: BoundSystem, stream: str) -> dict[str, Any] | None:
    """Where this run stopped; what an earlier one left behind does not count."""
    found = Checkpoint.objects.filter(flow=context.flow, connection=system.connection, stream=_name(stream)).first()
    return found.position if found and found.position["run"] == str(context.run_id) else None
