"""Pulling pages: what changed is told by hash, what is referenced and unknown is fetched before the transaction."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from apps.canonical.references import by_external_id, seen_hashes
from apps.connectors.sdk.errors import ConnectorError, RecordRejected
from apps.connectors.sdk.types import Page, SourceRecord
from apps.sync.engine.context import BoundSystem
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.filtering import ReadFilter
from apps.sync.engine.mapping import MappedRecord, SourceMapping, stream_mapping
from apps.sync.models import ErrorClass

MAX_REFERENCE_DEPTH = 4
# Pages that come quickly are taken over together: then our commits would be what costs time.
TOGETHER = 1000
TOGETHER_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A record of the page that could not be taken over."""

    object_name: str
    entity: str
    source: SourceRecord
    problem: RecordProblem


@dataclass
class SiftedPage:
    """A page after everything that needs no transaction: `records` in the order to take them over."""

    read_count: int = 0
    unchanged: list[str] = field(default_factory=list)
    records: list[MappedRecord] = field(default_factory=list)
    failures: list[ReadFailure] = field(default_factory=list)
    tombstones: list[str] = field(default_factory=list)  # deleted at the source, with nothing left to map
    filtered_count: int = 0


def together(pages: Iterator[Page]) -> Iterator[Page]:
    """The same records in fewer pages. What came before an error is handed out before the error is raised."""
    records: list[SourceRecord] = []
    last: Page | None = None
    failure: Exception | None = None
    started = time.monotonic()
    try:
        for page in pages:
            records, last = [*records, *page.records], page
            if len(records) >= TOGETHER or time.monotonic() - started > TOGETHER_SECONDS:
                yield Page(records=records, checkpoint=page.checkpoint, remaining=page.remaining)
                records, last, started = [], None, time.monotonic()
    except ConnectorError as error:
        failure = error
    if last is not None:
        yield Page(records=records, checkpoint=last.checkpoint, remaining=last.remaining)
    if failure:
        raise failure


def sift_page(
    system: BoundSystem, mapping: SourceMapping, records: Iterable[SourceRecord], kept: ReadFilter | None = None
) -> SiftedPage:
    """This function will map what changed, and fetch the records it refers to that nobody has read yet."""
    latest = _latest(records)
    page = SiftedPage(read_count=len(latest))
    hashes = _hashes(mapping, latest, page)
    known = seen_hashes(system.connection.pk, mapping.spec.name, list(latest))
    page.unchanged = [external_id for external_id, found in hashes.items() if known.get(external_id) == found]
    for external_id in page.unchanged:
        del latest[external_id]
    _Fetcher(system, page, hashes, kept, set(known)).take(mapping, list(latest.values()), depth=0)
    return page


def _latest(records: Iterable[SourceRecord]) -> dict[str, SourceRecord]:
    """One of each: the newest, wherever in the page it stands; without a stamp the last."""
    latest: dict[str, SourceRecord] = {}
    for record in records:
        other = latest.get(record.external_id)
        if other and other.modified_at and record.modified_at and record.modified_at < other.modified_at:
            continue
        latest[record.external_id] = record
    return latest


def _hashes(mapping: SourceMapping, latest: dict[str, SourceRecord], page: SiftedPage) -> dict[str, str]:
    """Of every record; one that has none goes to the desk, and not on."""
    hashes: dict[str, str] = {}
    for external_id, record in list(latest.items()):
        if "\x00" in external_id:
            problem = RecordProblem(ErrorClass.VALIDATION, "Its id holds a null character.", code="unkeepable")
            shown = msgspec.structs.replace(record, external_id=external_id.replace("\x00", "\ufffd"))
            page.failures.append(ReadFailure(mapping.spec.name, mapping.spec.entity, shown, problem))
            del latest[external_id]
        else:
            hashes[external_id] = mapping.hash(record)
    return hashes


class _Fetcher:
    """Maps records, their unknown references first, so that each finds what it refers to."""

    def __init__(
        self, system: BoundSystem, page: SiftedPage, hashes: dict[str, str], kept: ReadFilter | None, known: set[str]
    ) -> None:
        self.kept = kept
        self.known = known
        self.system = system
        self.page = page
        self.hashes = hashes  # of the page's own records
        self.taken: set[tuple[str, str]] = set()
        self.absent: set[tuple[str, str]] = set()

    def take(self, mapping: SourceMapping, records: list[SourceRecord], depth: int) -> None:
        hashes = self.hashes if depth == 0 else {}
        mapped = [found for record in records if (found := self._map(mapping, record, hashes))]
        if self.kept and depth == 0:
            mapped = [record for record in mapped if self._keeps(mapping, record)]
        # Records of one page may refer to each other; they are linked after all of them exist.
        self.taken.update((mapping.spec.name, record.external_id) for record in mapped)
        self._take_references(mapped, depth)
        for record in mapped:
            missing = [target for target in record.refs.values() if target in self.absent]
            if missing:
                self._fail(mapping, record.source, _missing(mapping, *missing[0]))
                self.absent.add((mapping.spec.name, record.external_id))
            else:
                self.page.records.append(record)

    def _map(self, mapping: SourceMapping, record: SourceRecord, hashes: dict[str, str]) -> MappedRecord | None:
        try:
            return mapping.apply(record, hashes.get(record.external_id, ""))
        except RecordProblem as problem:
            if record.deleted:
                self.page.tombstones.append(record.external_id)
            else:
                self._fail(mapping, record, problem)
            return None

    def _keeps(self, mapping: SourceMapping, mapped: MappedRecord) -> bool:
        if self.kept is None or mapped.external_id in self.known:
            return True
        try:
            is_kept = self.kept.keeps(mapped)
        except RecordProblem as problem:
            self._fail(mapping, mapped.source, problem)
            return False
        self.page.filtered_count += not is_kept
        return is_kept

    def _take_references(self, mapped: list[MappedRecord], depth: int) -> None:
        wanted: dict[str, set[str]] = {}
        for record in mapped:
            for stream, external_id in record.refs.values():
                if (stream, external_id) not in self.taken | self.absent:
                    wanted.setdefault(stream, set()).add(external_id)
        for stream, ids in wanted.items():
            known = by_external_id(self.system.connection.pk, stream, ids)
            self.taken.update((stream, external_id) for external_id in known)
            unknown = sorted(ids - set(known))
            if unknown:
                self._fetch(stream, unknown, depth + 1)

    def _fetch(self, stream: str, external_ids: list[str], depth: int) -> None:
        mapping = stream_mapping(self.system.manifest, self.system.manifest.stream(stream))
        found = []
        for external_id in external_ids:
            record = self._get(stream, external_id) if depth <= MAX_REFERENCE_DEPTH else None
            # Another's object, told for one that was merged into it, would leave the reference pointing nowhere.
            if record is None or record.deleted or record.external_id != external_id:
                self.absent.add((stream, external_id))
            else:
                found.append(record)
        self.take(mapping, found, depth)
        self.absent.update({(stream, record.external_id) for record in found} - self.taken)

    def _get(self, stream: str, external_id: str) -> SourceRecord | None:
        try:
            return self.system.connector.stream(stream).get(external_id)
        except RecordRejected:
            return None

    def _fail(self, mapping: SourceMapping, record: SourceRecord, problem: RecordProblem) -> None:
        self.page.failures.append(ReadFailure(mapping.spec.name, mapping.spec.entity, record, problem))


def _missing(mapping: SourceMapping, stream: str, external_id: str) -> RecordProblem:
    message = (
        f"It refers to {external_id} in {stream.replace('_', ' ')}, which the system does not show or which failed."
    )
    return RecordProblem(ErrorClass.MISSING_REFERENCE, message, code=stream)
