"""A dry run: the same reading, rules and planning on real records, with nothing sent and everything rolled back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.canonical.models import CanonicalRecord
from apps.connectors.sdk.errors import ConnectorError
from apps.connectors.sdk.types import SourceRecord
from apps.core.actor import Actor
from apps.flows.binding import stream_of
from apps.flows.definition import FlowSpec
from apps.flows.layers import draft_specs
from apps.flows.models import Flow, Integration, RoleBinding
from apps.sync.engine.aggregate import documents_of
from apps.sync.engine.catch_up import HISTORY
from apps.sync.engine.consequences import Consequences, draw_consequences
from apps.sync.engine.context import BoundSystem, RunContext, build_context
from apps.sync.engine.mapping import SourceMapping, stream_mapping
from apps.sync.engine.page import StreamReader
from apps.sync.engine.plan import PlannedWrite
from apps.sync.models import Checkpoint, IntentKind

MAX_RECORDS = 100
Place = tuple[UUID, UUID, str]


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What a run would do to one record of a system. `diff` is {field: [now, then]}."""

    action: str  # create | update
    system: str
    object_label: str
    entity: str
    title: str
    diff: dict[str, list[Any]]
    waits_for_others: bool = False


@dataclass(frozen=True, slots=True)
class DryRunProblem:
    system: str
    object_name: str
    title: str
    message: str


class NothingToWrite(StrEnum):
    """Why a flow would write nothing."""

    NOTHING_READ = "nothing_read"
    LEFT_OUT = "left_out"  # by what the flow reads
    ASKED = "asked"  # a person has to say first whether a target knows them already
    IN_STEP = "in_step"
    NO_RULE = "no_rule"  # no rule wants them written


@dataclass
class DryRunFlow:
    """`planned` and `failed` are by record and place: records of one name are as many changes as there are records.

    `documents`: what a run makes of many records together, which is not tried here.
    """

    key: str
    name: str
    read_counts: dict[str, int] = field(default_factory=dict)
    planned: dict[Place, PlannedChange] = field(default_factory=dict)
    failed: dict[Place, DryRunProblem] = field(default_factory=dict)
    troubles: list[DryRunProblem] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    left_out_count: int = 0
    in_step_count: int = 0
    asked_count: int = 0

    @property
    def changes(self) -> list[PlannedChange]:
        return list(self.planned.values())

    @property
    def problems(self) -> list[DryRunProblem]:
        return [*self.failed.values(), *self.troubles]

    @property
    def create_count(self) -> int:
        return sum(change.action == IntentKind.CREATE for change in self.changes)

    @property
    def update_count(self) -> int:
        return sum(change.action == IntentKind.UPDATE for change in self.changes)

    @property
    def read_count(self) -> int:
        return sum(self.read_counts.values())

    @property
    def why_nothing(self) -> NothingToWrite | None:
        """None where something would be written, or stands in the way and is told."""
        if self.changes or self.problems:
            return None
        if self.asked_count:
            return NothingToWrite.ASKED
        if self.in_step_count:
            return NothingToWrite.IN_STEP
        if not self.read_count:
            return NothingToWrite.NOTHING_READ
        return NothingToWrite.LEFT_OUT if self.left_out_count >= self.read_count else NothingToWrite.NO_RULE


@dataclass(frozen=True)
class DryRun:
    at: datetime
    flows: list[DryRunFlow]

    @property
    def create_count(self) -> int:
        return sum(flow.create_count for flow in self.flows)

    @property
    def update_count(self) -> int:
        return sum(flow.update_count for flow in self.flows)


def dry_run(
    *, actor: Actor, now: datetime, integration: Integration, limit: int = 20, with_draft: bool = False
) -> DryRun:
    """This function will show, for up to `limit` records per stream, what a run would write. Nothing is kept or sent.

    `with_draft`: with the mappings as they are being edited, not as they are published.
    """
    actor.require("integrations.manage")
    actor.require_sight(integration.customer_id, "There is no such integration.")
    related = Flow.objects.select_related("integration", "environment", "customer", "current_version")
    flows = related.filter(integration=integration, retired_at=None).order_by("created_at", "id")
    drafts = draft_specs(integration) if with_draft else {}
    return DryRun(now, [try_flow(flow, min(limit, MAX_RECORDS), drafts.get(flow.pk)) for flow in flows])


Sample = tuple[BoundSystem, SourceMapping, list[SourceRecord], str]


def try_flow(flow: Flow, limit: int, spec: FlowSpec | None, bindings: list[RoleBinding] | None = None) -> DryRunFlow:
    """`spec` and `bindings` are tried instead of what is published."""
    with closing(build_context(flow, None, spec=spec, bindings=bindings)) as context:
        return _try(context, flow, limit, is_draft=spec is not None)


def _try(context: RunContext, flow: Flow, limit: int, *, is_draft: bool) -> DryRunFlow:
    documents = dict.fromkeys(map(documents_of, context.spec.aggregate))
    result = DryRunFlow(flow.key, flow.name, documents=list(documents))
    # The vendors are asked before the transaction, except for single records others refer to.
    samples = _read_samples(context, result, limit)
    with transaction.atomic():
        for system, mapping, records, kept in samples:
            try:
                consequences = StreamReader(context, system, mapping, kept).take(records, None)
            except ConnectorError as error:
                result.troubles.append(_system_problem(system, mapping, error))
                continue
            if consequences:
                _collect(result, consequences)
        # A flow that never ran goes through all that others have read already; what of it is read again is unchanged.
        is_first = not Checkpoint.objects.filter(flow=flow, stream=HISTORY).exists()
        if is_draft or is_first:
            _collect(result, _work_off_known(context, limit))
        _collect_failures(context, result)
        counts = context.journal.counts
        result.left_out_count = counts["skipped"]
        result.in_step_count += 0 if is_first else counts["unchanged"]
        transaction.set_rollback(True)
    return result


def _read_samples(context: RunContext, result: DryRunFlow, limit: int) -> list[Sample]:
    samples: list[Sample] = []
    for read in context.spec.reads:
        system = context.systems[read.role]
        spec = stream_of(system.manifest, read)
        mapping = stream_mapping(system.manifest, spec, read.fields)
        try:
            page = next(iter(system.connector.stream(spec.name).read(checkpoint=None, page_size=limit)), None)
        except ConnectorError as error:
            result.troubles.append(_system_problem(system, mapping, error))
            continue
        records = page.records[:limit] if page else []
        result.read_counts[f"{system.connection.name}: {spec.label}"] = len(records)
        samples.append((system, mapping, records, read.filter))
    return samples


def _work_off_known(context: RunContext, limit: int) -> Consequences:
    """What the rules make of records that are known already; a run applies them to all of these."""
    workspace = context.workspace()
    known = CanonicalRecord.objects.filter(environment=context.flow.environment)
    for entity in sorted({rule.on for rule in context.spec.rules}):
        workspace.load(known.filter(entity=entity).order_by("-id").values_list("id", flat=True)[:limit])
    return draw_consequences(context, workspace, workspace.loaded(), context.now())


def _collect(result: DryRunFlow, consequences: Consequences) -> None:
    result.planned.update({place: _change(write) for place, write in consequences.plan.writes.items()})
    result.failed.update(
        {
            (p.state.id, p.system.connection.pk, p.mapping.spec.name): DryRunProblem(
                p.system.connection.name, p.mapping.spec.label, p.state.title, p.problem.message
            )
            for p in consequences.plan.problems
        }
    )
    result.in_step_count += len(consequences.plan.held)
    result.asked_count += len(consequences.plan.doubtful)


def _collect_failures(context: RunContext, result: DryRunFlow) -> None:
    names = {system.connection.pk: system.connection.name for system in context.systems.values()}
    for failed in context.dry_failures:
        result.troubles.append(
            DryRunProblem(names[failed.connection_id], failed.object_name, failed.title, failed.problem.message)
        )


def _change(write: PlannedWrite) -> PlannedChange:
    return PlannedChange(
        action=str(write.kind),
        system=write.system.connection.name,
        object_label=write.mapping.spec.label,
        entity=write.state.entity,
        title=write.state.title,
        diff=write.desired.diff if write.desired else {"name": [None, write.state.title]},
        waits_for_others=write.desired is None,
    )


def _system_problem(system: BoundSystem, mapping: SourceMapping, error: ConnectorError) -> DryRunProblem:
    return DryRunProblem(system.connection.name, mapping.spec.label, "", error.message)
