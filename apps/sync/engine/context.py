"""What a run works with: its flow's definition compiled, its systems opened, its log buffered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.canonical.workspace import ChangeSource, State, Workspace
from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.connectors.sdk.connector import Connector, HttpExchange
from apps.connectors.sdk.entities import ENTITIES, REFERENCES
from apps.connectors.sdk.manifest import ConnectorManifest, SinkSpec
from apps.connectors.services import calls_at_once, open_connector
from apps.core import clock
from apps.customers.models import EnvironmentKind
from apps.flows.binding import with_mappings, without_absent
from apps.flows.definition import FlowSpec, MappingSpec, parse_flow
from apps.flows.models import Flow, RoleBinding
from apps.sync.engine.conflicts import Policies, read_policies
from apps.sync.engine.journal import Journal
from apps.sync.engine.timeline import Timeline
from apps.sync.models import RunTrigger, SyncRun

_ABSENT: dict[str, dict[str, Any]] = {
    entity: dict.fromkeys(kind.__struct_fields__) for entity, kind in ENTITIES.items()
}


# A connector is opened with a token that is good for two minutes at least; a run may take hours.
OPEN_FOR = timedelta(seconds=90)


AtOnce = Callable[[SinkSpec], int]


@dataclass
class BoundSystem:
    """A role's connection, opened when first needed and again before its token may expire.

    A conversation belongs to one thread at a time; where threads call beside the run, each has one of its own.
    """

    connection: Connection
    manifest: ConnectorManifest
    open: Callable[[], Connector]
    _connector: Connector | None = None
    _lent: Connector | None = None
    _beside: list[Connector] = field(default_factory=list)
    _opened_at: datetime | None = None

    @property
    def connector(self) -> Connector:
        """Raises what opening a connection raises. Not to be asked inside a transaction."""
        self.keep_fresh()
        if self._connector is None:
            self._connector = self._beside.pop() if self._beside else self._open_one()
        return self._connector

    def conversations(self, most: int) -> list[Connector]:
        """As many as the system may be asked at once, and no more than `most`. Raises like `connector`."""
        first = self.connector
        count = min(most, self.calls_at_once)
        while len(self._beside) < count - 1:
            self._beside.append(self._open_one())
        return [first, *self._beside[: count - 1]]

    @property
    def calls_at_once(self) -> int:
        return calls_at_once(self.connection.vendor)

    @contextmanager
    def lending(self) -> Iterator[None]:
        """Within the block another thread talks through the connector in use; whoever asks for one gets another."""
        self._lent, self._connector = self._connector, None
        try:
            yield
        finally:
            self._take_back()

    def keep_fresh(self) -> None:
        """This method will give all that is open, and the streams in use, a token that lasts."""
        if self._opened_at is None or clock.now() - self._opened_at <= OPEN_FOR:
            return
        self.connection.refresh_from_db()
        fresh = self.open()
        for connector in self._all_open():
            connector.context.credentials = fresh.context.credentials
        fresh.close()
        self._opened_at = clock.now()

    def close(self) -> None:
        for connector in self._all_open():
            connector.close()
        self._connector = self._lent = self._opened_at = None
        self._beside = []

    def _take_back(self) -> None:
        if self._connector is not None:
            self._beside.append(self._connector)
        self._connector, self._lent = self._lent, None

    def _open_one(self) -> Connector:
        opened = self.open()
        self._opened_at = self._opened_at or clock.now()  # of the oldest token in use
        return opened

    def _all_open(self) -> list[Connector]:
        return [connector for connector in (self._connector, self._lent, *self._beside) if connector]


@dataclass(slots=True)
class Tally:
    """What a run has done over all its claims, as of the last transaction."""

    read: int = 0
    failed: int = 0
    done: int = 0
    at: datetime | None = None


@dataclass
class RunContext:
    """`is_dry`: nothing is sent and nothing is kept. `is_reconcile`: everything is read, and what vanished is found."""

    flow: Flow
    spec: FlowSpec
    settings: dict[str, Any]
    systems: dict[str, BoundSystem]
    journal: Journal
    timeline: Timeline
    run_id: UUID | None
    claim: int = 0
    is_dry: bool = False
    is_reconcile: bool = False
    is_cancel_requested: bool = False
    is_pause_requested: bool = False
    scope: dict[str, Any] = field(default_factory=dict)  # what is read instead of what is new (`scope`)
    remaining: int | None = None  # records still to come in the stream being read, where the vendor tells
    tally: Tally = field(default_factory=lambda: Tally())
    check: Callable[..., None] = lambda **_: None  # between steps: raises where the run must stop (`guards`)
    has_failures: bool = False
    resume_at: datetime | None = None
    # While the last stream is read: how many creates of a page may be sent as soon as the page is committed.
    at_once: AtOnce | None = None
    active: BoundSystem | None = None  # the system talked to last: the one a connector's error comes from
    policies: Policies = field(default_factory=lambda: Policies({}, {}))
    dry_failures: list[Any] = field(default_factory=list)
    caches: dict[Any, Any] = field(default_factory=dict)

    @property
    def is_production(self) -> bool:
        return self.flow.environment.kind == EnvironmentKind.PRODUCTION

    def now(self) -> datetime:
        return clock.now()

    @property
    def today(self) -> str:
        """The day at the customer's."""
        return clock.local_date(self.now(), self.flow.customer.time_zone).isoformat()

    @property
    def expression_settings(self) -> dict[str, Any]:
        """What expressions see as `settings`: the integration's, with the customer's currency."""
        return {"currency": self.flow.customer.currency, **self.settings}

    def system_of(self, connection_id: UUID) -> BoundSystem:
        """The system of a connection, about to be talked to."""
        self.active = next(s for s in self.systems.values() if s.connection.pk == connection_id)
        return self.active

    def close(self) -> None:
        """This method will give up what is kept open to the systems; whoever asks again opens it anew."""
        for system in self.systems.values():
            system.close()

    def failing_system(self) -> BoundSystem | None:
        return self.active

    def workspace(self, kind: str = "flow", connection_id: UUID | None = None) -> Workspace:
        source = ChangeSource(kind, connection_id, self.flow.pk, self.run_id)
        return Workspace(self.flow.environment, source, self.now())


def build_context(
    flow: Flow,
    run: SyncRun | None,
    *,
    claim: int = 0,
    spec: FlowSpec | None = None,
    bindings: list[RoleBinding] | None = None,
) -> RunContext:
    """`flow` with its integration; without a run the context is a dry one.

    `spec` and `bindings` are tried instead of what is published and bound.
    """
    version = run.flow_version if run else flow.current_version
    if version is None:
        raise ValueError(f"{flow} has no published version")
    journal = Journal(flow, run.pk if run else None)
    spec = spec or parse_flow(version.definition)
    if bindings is None:
        bindings = list(flow.integration.role_bindings.select_related("connection"))
    # A system that plays two roles is one system: what is mapped for one of them holds for both.
    mapped: dict[UUID, list[MappingSpec]] = {binding.connection_id: [] for binding in bindings}
    for binding in bindings:
        mapped[binding.connection_id].extend(m for m in spec.mappings if m.role == binding.role)
    systems = {b.role: _bind(b.connection, journal, mapped[b.connection_id]) for b in bindings}
    connections = {role: system.connection.pk for role, system in systems.items()}
    spec = without_absent(spec, {role: system.manifest for role, system in systems.items()})
    return RunContext(
        flow=flow,
        spec=spec,
        policies=read_policies(spec, flow.integration.field_policies.all(), connections),
        settings=flow.integration.settings,
        systems=systems,
        journal=journal,
        timeline=Timeline(run.pk if run else None, is_first_attempt=claim == 1),
        run_id=run.pk if run else None,
        claim=claim,
        is_dry=run is None,
        scope=run.scope if run else {},
        is_reconcile=run is not None and run.trigger == RunTrigger.RECONCILE,
    )


def _bind(connection: Connection, journal: Journal, mappings: list[MappingSpec]) -> BoundSystem:
    def observe(exchange: HttpExchange) -> None:
        journal.note_call(connection, exchange)

    manifest = with_mappings(get_manifest(connection.vendor), mappings)
    return BoundSystem(connection, manifest, lambda: open_connector(connection, observe=observe))


def full_record(entity: str, data: dict[str, Any]) -> dict[str, Any]:
    """All fields of the entity, missing ones null, and its custom ones: what expressions see as `record`."""
    return {**_ABSENT[entity], **data}


def rule_context(state: State, settings: dict[str, Any], today: str) -> dict[str, Any]:
    links = state.links
    return {
        "today": today,
        "record": full_record(state.entity, state.data),
        "refs": {name: str(links[name]) if name in links else None for name in REFERENCES[state.entity]},
        "settings": settings,
    }
