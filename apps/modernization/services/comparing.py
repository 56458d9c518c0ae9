"""A comparison carried out in the background: both sides to disk, then key by key.

Begun again after a crash, it starts anew: what the attempt before it wrote is taken away first. Each attempt claims the
run by its number, and writes only while it is the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F

from apps.customers.askers import RightsGone, present_asker
from apps.dispatch.services import complete, extend_lease
from apps.modernization.comparison import BadValue, Comparison, folded, read_cell
from apps.modernization.fields import FieldChoice, choices_of, custom_fields, systems_of
from apps.modernization.matching import Finding, Matcher, Side
from apps.modernization.models import ParallelDifference, ParallelRun, ParallelStatus
from apps.modernization.models.comparisons import ACTIVE
from apps.modernization.new_results import read_records, records_of
from apps.modernization.old_results import OldRow, UnreadableResult, read_rows, unpacked
from apps.modernization.spool import NEW, OLD, Spool, TooManyOfOneKey

log = structlog.get_logger()
COMPARISON_KIND = "modernization.compare"
MAX_RECORDS = 200_000
LISTED = 20_000
BATCH = 1_000
LONGEST_SAID = 1_000
GAVE_UP_AFTER = 5


class _Stopped(Exception):  # noqa: N818 - names the fact
    """Somebody stopped it, or another worker has taken over."""


class _CannotCompare(Exception):  # noqa: N818 - names the fact
    """The message says why in words."""


@dataclass
class _Work:
    """One attempt."""

    run: ParallelRun
    comparison: Comparison
    systems: Sequence[UUID]
    choices: Mapping[str, FieldChoice]
    matcher: Matcher
    now: Callable[[], datetime]

    @property
    def needed(self) -> list[FieldChoice]:
        """Each field that says which record it is, or is compared."""
        tokens = [*self.comparison.keys, *self.comparison.compared]
        return [self.choices[token] for token in tokens if token in self.choices]


def carry_out_comparison(*, run_id: UUID, now: Callable[[], datetime]) -> None:
    """This function will compare. Ended or stopped, it does nothing."""
    run = _claim(run_id, now())
    if run is not None:
        try:
            _compare(run, now)
        except _Stopped:
            pass
        except (_CannotCompare, UnreadableResult, RightsGone) as error:
            _end(run, now(), status=ParallelStatus.FAILED, error=str(error)[:300])
        except Exception:
            log.exception("modernization.comparison_failed", run_id=str(run_id))
            said = "It could not be compared. Start it again; if that fails too, bring a smaller file."
            _end(run, now(), status=ParallelStatus.FAILED, error=said)
    complete(kind=COMPARISON_KIND, key=str(run_id))


@transaction.atomic
def _claim(run_id: UUID, now: datetime) -> ParallelRun | None:
    claimed = ParallelRun.objects.filter(pk=run_id, status__in=ACTIVE).update(
        status=ParallelStatus.RUNNING, attempt=F("attempt") + 1, started_at=now, done_count=0, error=""
    )
    if not claimed:
        return None
    ParallelDifference.objects.filter(run_id=run_id).delete()
    related = ParallelRun.objects.select_related("environment", "integration", "interface")
    run: ParallelRun = related.get(pk=run_id)
    if run.attempt > GAVE_UP_AFTER:
        _end(run, now, status=ParallelStatus.FAILED, error="It broke off several times. Bring a smaller file.")
        return None
    return run


def _compare(run: ParallelRun, now: Callable[[], datetime]) -> None:
    work = _prepared(run, now)
    with Spool() as spool:
        _spool_records(work, spool)
        _spool_rows(work, spool)
        _write(work, done_count=work.matcher.tally.old + work.matcher.tally.new)
        _match(work, spool)
    _end(run, now(), status=ParallelStatus.DONE, done_count=run.total, **work.matcher.tally.as_counts())


def _prepared(run: ParallelRun, now: Callable[[], datetime]) -> _Work:
    comparison = run.rules
    systems = systems_of(run.integration)
    choices = choices_of(run.entity, custom_fields(run.customer_id, run.entity), systems)
    missing = [token for token in (*comparison.keys, *comparison.compared) if token not in choices]
    if missing or not systems:
        raise _CannotCompare("The integration that replaces it has changed since. Set the comparison up anew.")
    return _Work(run, comparison, [one.pk for one in systems], choices, Matcher(comparison, choices), now)


def _spool_records(work: _Work, spool: Spool) -> None:
    run, comparison = work.run, work.comparison
    wanted = [UUID(comparison.system)] if comparison.system else work.systems
    # Once, by their ids: which records count is a question over both tables, and costs as much for one batch as for all.
    ids = list(
        records_of(run.environment, run.entity, comparison, wanted).values_list("pk", flat=True)[: MAX_RECORDS + 1]
    )
    if len(ids) > MAX_RECORDS:
        raise _CannotCompare(f"There are more than {MAX_RECORDS:,} records to compare with. Choose a period.")
    _write(work, total=2 * (len(ids) + run.row_count))
    for batch in read_records(ids, work.needed):
        rows, nameless = [], []
        for record_id, values in batch:
            side = _side(work, values, record_id=str(record_id))
            if side is None:
                nameless.append(Side("", _compared(work, values), record_id=str(record_id)))
            else:
                rows.append(side)
        spool.add(NEW, rows)
        work.matcher.tally.new += len(batch)
        _keep(work, [work.matcher.nameless(record) for record in nameless])
        _write(work, done_count=work.matcher.tally.new)


def _spool_rows(work: _Work, spool: Spool) -> None:
    comparison = work.comparison
    content = unpacked(bytes(work.run.content))
    for batch in _batches(read_rows(content, comparison.file, is_json=comparison.is_json)):
        rows, refused = [], []
        for row in batch:
            found = _read_row(work, row)
            if isinstance(found, Finding):
                refused.append(found)
            elif found is not None:
                rows.append(found)
        spool.add(OLD, rows)
        work.matcher.tally.old += len(batch)
        _keep(work, refused)
        _write(work, done_count=work.matcher.tally.new + work.matcher.tally.old)


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch


def _read_row(work: _Work, row: OldRow) -> tuple[str, Side] | Finding | None:
    """None when it lies outside the period."""
    shown = " · ".join(f"{name}: {cell}" for name, cell in row.cells.items() if cell)[:LONGEST_SAID]
    if row.problem:
        return work.matcher.refuse(row.line, row.problem, shown)
    values: dict[str, str] = {}
    for column, token in work.comparison.columns.items():
        try:
            values[token] = read_cell(row.cells.get(column, ""), work.choices[token], work.comparison.file)
        except BadValue as error:
            return work.matcher.refuse(row.line, f"{error} in “{column}”", shown)
    if _is_outside(work.comparison, values):
        work.matcher.tally.outside += 1
        return None
    side = _side(work, values, line=row.line)
    return side or work.matcher.refuse(row.line, "The row does not say which record it is", shown)


def _is_outside(comparison: Comparison, values: Mapping[str, str]) -> bool:
    """As of records: what has no such day lies in no period. A file without that column is taken as a whole."""
    first, last = comparison.first_day, comparison.last_day
    if comparison.date_field not in values or not (first or last):
        return False
    day = values[comparison.date_field][:10]
    if not day:
        return True
    return bool((first and day < first.isoformat()) or (last and day > last.isoformat()))


def _side(
    work: _Work, values: Mapping[str, str], *, line: int | None = None, record_id: str | None = None
) -> tuple[str, Side] | None:
    """The row with its folded key; None when a part of the key is empty everywhere."""
    parts = [values.get(token, "") for token in work.comparison.keys]
    if not any(parts):
        return None
    key = "\x1f".join(
        folded(part, work.choices[token].kind, work.comparison)
        for token, part in zip(work.comparison.keys, parts, strict=True)
    )
    return key, Side(" · ".join(parts)[:300], _compared(work, values), line, record_id)


def _compared(work: _Work, values: Mapping[str, str]) -> dict[str, str]:
    return {token: values.get(token, "") for token in work.comparison.compared}


def _match(work: _Work, spool: Spool) -> None:
    done = work.matcher.tally.old + work.matcher.tally.new
    found: list[Finding] = []
    try:
        for number, (old, new) in enumerate(spool.groups(), 1):
            found += work.matcher.match(old, new)
            done += len(old) + len(new)
            if number % BATCH == 0:
                _keep(work, found)
                found = []
                _write(work, done_count=min(done, work.run.total or done))
    except TooManyOfOneKey as error:
        raise _CannotCompare(
            f"“{error.key[:60]}” stands in too many rows to tell them apart. Choose more fields that say which record it is."
        ) from None
    _keep(work, found)


def _keep(work: _Work, findings: Sequence[Finding]) -> None:
    """The first of all are rows of their own; those that were accepted before stay so."""
    room = max(LISTED - (work.matcher.tally.finding - len(findings)), 0)
    listed = list(findings)[:room]
    if not listed:
        return
    known = _accepted_before(work.run, {finding.digest for finding in listed})
    with transaction.atomic():
        _write(work)
        ParallelDifference.objects.bulk_create([_row(work.run, finding, known) for finding in listed], batch_size=BATCH)


def _row(run: ParallelRun, finding: Finding, known: Mapping[str, dict[str, Any]]) -> ParallelDifference:
    before = known.get(finding.digest, {})
    return ParallelDifference(
        run=run, kind=finding.kind, key=finding.key[:300], field=finding.field, old=finding.old[:LONGEST_SAID],
        new=finding.new[:LONGEST_SAID], line=finding.line, record_id=finding.record_id, digest=finding.digest,
        is_remembered=bool(before), **before,
    )  # fmt: skip


def _accepted_before(run: ParallelRun, digests: set[str]) -> dict[str, dict[str, Any]]:
    earlier = ParallelDifference.objects.filter(
        digest__in=digests, accepted_at__isnull=False, run__interface=run.interface, run__entity=run.entity
    ).exclude(run=run)
    names = ("accepted_at", "accepted_by_label", "accept_reason")
    return {
        row["digest"]: {name: row[name] for name in names} for row in earlier.order_by("id").values("digest", *names)
    }


def _write(work: _Work, **values: Any) -> None:
    """Progress, and the sign of life. Raises _Stopped, and RightsGone once whoever asked may not compare any more."""
    run = work.run
    present_asker(run.asked_by, now=work.now(), permissions=["integrations.manage"], owners=[run.customer_id])
    for name, value in values.items():
        setattr(run, name, value)
    own = ParallelRun.objects.filter(pk=run.pk, attempt=run.attempt, status=ParallelStatus.RUNNING)
    if not own.update(**(values or {"attempt": run.attempt})):
        raise _Stopped
    extend_lease(kind=COMPARISON_KIND, key=str(run.pk), now=work.now())


def _end(run: ParallelRun, now: datetime, **values: Any) -> None:
    own = ParallelRun.objects.filter(pk=run.pk, attempt=run.attempt, status=ParallelStatus.RUNNING)
    own.update(finished_at=now, **values)
