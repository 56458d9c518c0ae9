"""One run from its claim to its end: recover, read, retry, catch up, aggregate, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta

from apps.connectors.sdk.errors import TransientError
from apps.connectors.sdk.types import Page
from apps.flows.binding import stream_of
from apps.flows.definition import AggregateSpec, ReadSpec
from apps.sync.engine.aggregate import Collector, aggregate, documents_of
from apps.sync.engine.beside import read_ahead
from apps.sync.engine.catch_up import catch_up, open_history, retry_failures
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.deletions import find_vanished, send_removals
from apps.sync.engine.errors import RunCanceled, RunDeferred, RunStopped
from apps.sync.engine.failures import has_open_failures
from apps.sync.engine.mapping import stream_mapping
from apps.sync.engine.page import StreamReader
from apps.sync.engine.read import together
from apps.sync.engine.recover import recover_sent
from apps.sync.engine.scope import is_wanted, keep_place, pages_in_scope
from apps.sync.engine.waiting import Patience
from apps.sync.engine.write import Sender
from apps.sync.models import Checkpoint, RunStatus

PAGE_SIZE = 100
SOON = timedelta(seconds=30)


def execute(context: RunContext) -> None:
    """This function will carry the claimed run out. Raises a RunStopped or a connector's error when it cannot end."""
    execution = _Execution(context)
    context.has_failures = has_open_failures(context.flow.pk)
    open_history(context)
    execution.send("Settling writes of an interrupted run", is_optional=True)
    for read in context.spec.reads:
        if is_wanted(context, read, stream_of(context.systems[read.role].manifest, read).name):
            execution.read(read, may_write=read is context.spec.reads[-1] and _writes_as_read(context))
    execution.retry()
    execution.catch_up()
    for collected in context.spec.aggregate:
        execution.aggregate(collected)
    execution.send("Writing")
    execution.remove()


class _Execution:
    """The steps of one run, each with its own line in the run's timeline."""

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.sender = Sender(context)
        self.is_settled = False  # nothing is left as sent without an answer

    @contextmanager
    def step(self, label: str) -> Iterator[dict[str, int]]:
        """A line of the timeline; the block fills the counts."""
        counts: dict[str, int] = {}
        timeline, status = self.context.timeline, RunStatus.FAILED
        step = timeline.open(label, self.context.now())
        try:
            yield counts
            status = RunStatus.SUCCEEDED
        finally:
            # A killed worker leaves the line open; the next claim closes it.
            timeline.close(step, status, counts, self.context.now())

    def read(self, read: ReadSpec, *, may_write: bool) -> None:
        system = self.context.active = self.context.systems[read.role]
        spec = stream_of(system.manifest, read)
        mapping = stream_mapping(system.manifest, spec, read.fields)
        reader = StreamReader(self.context, system, mapping, read.filter)
        with self.step(f"Reading {spec.label.lower()} from {system.connection.name}") as counts:
            self.context.at_once = self.sender.limit_at_once if may_write else None
            try:
                seen = self._read_patiently(system, reader, counts)
            finally:
                self.sender.abandon()
            self.context.at_once = self.context.remaining = None
            reader.finish()
            if self.context.is_reconcile:
                counts["vanished"] = find_vanished(self.context, system, spec.name, spec.entity, seen)

    def _read_patiently(self, system: BoundSystem, reader: StreamReader, counts: dict[str, int]) -> set[str]:
        """A failed call starts the stream again at the last checkpoint; a full comparison starts at the beginning.

        Returns the ids that are alive, for a full comparison.
        """
        patience, name = Patience(self.context), reader.mapping.spec.name
        seen = set[str]()
        while True:
            pages = 0
            try:
                with closing(read_ahead(system, together(self._pages(system, name)), self._land)) as ahead:
                    for page in ahead:
                        self.context.remaining = page.remaining
                        self._take(reader, page)
                        pages += 1
                        patience.reset()
                        if self.context.is_reconcile:
                            seen.update(record.external_id for record in page.records if not record.deleted)
                        counts["read"] = counts.get("read", 0) + len(page.records)
                        # The first page may be what every reading overlaps with.
                        self.context.check(is_progress=pages > 1)
                        system.keep_fresh()
                self._land()
                if self.context.scope:
                    keep_place(self.context, system, name, None)
                return seen
            except (RunCanceled, RunDeferred):
                reader.finish()
                self._land()
                raise
            except TransientError as error:
                reader.finish()
                self._land()
                patience.bear(error)

    def _pages(self, system: BoundSystem, stream: str) -> Iterator[Page]:
        size = int(system.manifest.extra.get("page_size", PAGE_SIZE))
        if self.context.scope:
            return pages_in_scope(self.context, system, stream, size)
        position = None if self.context.is_reconcile else _checkpoint(self.context, system, stream)
        return system.connector.stream(stream).read(checkpoint=position, page_size=size)

    def _take(self, reader: StreamReader, page: Page) -> None:
        if self.context.scope:
            reader.take(page.records, None)
            keep_place(self.context, reader.system, reader.mapping.spec.name, page)
            return
        consequences = reader.take(page.records, page.checkpoint)
        with self._reading_on():
            self.sender.send_at_once(consequences.sent if consequences else [])
        self.context.active = reader.system

    def _land(self) -> None:
        reading = self.context.active
        with self._reading_on():
            self.sender.land()
        self.context.active = reading

    @contextmanager
    def _reading_on(self) -> Iterator[None]:
        """A failed call does not end reading; what became of it is found out before the writing that follows."""
        try:
            yield
        except TransientError:
            self.context.at_once, self.is_settled = None, False

    def remove(self) -> None:
        removed = self._patiently(lambda: send_removals(self.context))
        if removed:
            with self.step("Deleting what was deleted elsewhere") as counts:
                counts["records"] = removed

    def retry(self) -> None:
        if self.context.has_failures:
            with self.step("Trying failed records again") as counts:
                counts["records"] = self._patiently(lambda: retry_failures(self.context))

    def catch_up(self) -> None:
        total = 0
        for count in catch_up(self.context):
            total += count
            self.context.check(is_progress=True)
        if total:
            with self.step("Applying the rules to what changed elsewhere") as counts:
                counts["records"] = total

    def aggregate(self, spec: AggregateSpec) -> None:
        label = Collector(self.context, spec).label
        documents = documents_of(spec)
        with self.step(f"Collecting {label} for {documents}") as counts:
            counts[documents] = aggregate(self.context, spec)

    def send(self, label: str, *, is_optional: bool = False) -> None:
        """Settles what an earlier attempt left, then sends what is planned, window by window."""
        patience, sender = Patience(self.context), self.sender
        while True:
            try:
                if not self.is_settled:
                    recover_sent(self.context)
                    self.is_settled = self.context.resume_at is None
                if is_optional or not sender.send_next():
                    break
                patience.reset()
                self.context.check(is_progress=True)
            except TransientError as error:
                self.is_settled = False
                patience.bear(error)
            except RunStopped:
                sender.stop()
                raise
        if sender.batches:
            with self.step(label) as counts:
                counts["batches"], sender.batches = sender.batches, 0
        if sender.left_out and self.context.resume_at is None:
            # Another flow is writing the same records: come back soon rather than at the next schedule.
            self.context.resume_at = self.context.now() + SOON

    def _patiently(self, step: Callable[[], int]) -> int:
        patience = Patience(self.context)
        while True:
            try:
                return step()
            except TransientError as error:
                patience.bear(error)


def _writes_as_read(context: RunContext) -> bool:
    """Whether what a page plans is final: rules only write, and nothing is collected afterwards."""
    spec = context.spec
    return not context.scope and not spec.aggregate and all(rule.write for rule in spec.rules)


def _checkpoint(context: RunContext, system: BoundSystem, stream: str) -> dict[str, object] | None:
    """None where the stream was never read by the mapping in force."""
    found = Checkpoint.objects.filter(flow=context.flow, connection=system.connection, stream=stream).first()
    if found is None:
        return None
    changes = [
        datetime.fromisoformat(mapping.changed_at)
        for mapping in context.spec.mappings
        if mapping.direction == "read" and mapping.object_name == stream and mapping.changed_at
        and context.systems[mapping.role].connection.pk == system.connection.pk
    ]  # fmt: skip
    return None if any(changed_at >= found.updated_at for changed_at in changes) else found.position
