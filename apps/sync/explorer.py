"""The log searched: the same filters for pages, API and exports.

Words are indexed for what went wrong only (see `models/logs.py`). Other rows are found through what they are about: the
record by its name, number or id, and the run by its id.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import BigIntegerField, Exists, F, Func, Model, OuterRef, Q, QuerySet

from apps.canonical.models import CanonicalRecord
from apps.canonical.selectors import search_records
from apps.core.actor import Actor
from apps.core.visible import get_visible
from apps.flows.models import Flow, RoleBinding
from apps.sync.models import RecordLog, SyncRun, VendorCall
from apps.sync.models.logs import CALL_FAILED, CALL_WORDS, CALL_WORDS_READ, RECORD_WORDS, RECORD_WORDS_READ

# A page looks at so many newest matches of each kind; an export at all.
MOST_MATCHES = 200
WINDOW = 50_000
MOST_NAMED = 200
CALL_STATES: dict[str, tuple[str, Q]] = {
    "ok": ("Answered", Q(status__lt=400)),
    "refused": ("Refused (4xx)", Q(status__gte=400, status__lt=500) & ~Q(status=429)),
    "limited": ("Rate limited (429)", Q(status=429)),
    "broken": ("Server error (5xx)", Q(status__gte=500)),
    "silent": ("No answer", Q(status=None)),
}
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilters:
    """What is looked for; several values of one filter are alternatives. `[since, until)`."""

    customers: tuple[str, ...] = ()
    integrations: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    error_classes: tuple[str, ...] = ()
    states: tuple[str, ...] = ()  # of a run, or of a call's answer (CALL_STATES)
    triggers: tuple[str, ...] = ()
    run: str = ""
    text: str = ""
    since: str = ""
    until: str = ""

    def as_json(self) -> dict[str, Any]:
        """Only what is set."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LogFilters:
        known = {one.name for one in fields(cls)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known}
        return cls(**values)

    @property
    def period(self) -> tuple[datetime | None, datetime | None]:
        since, until = (datetime.fromisoformat(text) if text else None for text in (self.since, self.until))
        return since, until


def find_records(actor: Actor, asked: LogFilters, *, bounded: bool = True) -> QuerySet[RecordLog]:
    """Unordered. `bounded`: a text finds among the newest `MOST_MATCHES`, in a time that no number of rows changes."""
    rows = _narrow(actor, RecordLog.objects.visible_to(actor), asked)
    for field, values in (("entity__in", asked.entities), ("action__in", asked.actions)):
        rows = rows.filter(**{field: values}) if values else rows
    if asked.error_classes:
        rows = rows.filter(action="failed", error_class__in=asked.error_classes)
    elif asked.actions == ("failed",):
        rows = rows.filter(action="failed")
    if not asked.text:
        return rows
    named, uuid = _named(actor, asked.text), _uuid(asked.text)
    found = [Branch(rows.filter(record_id__in=named), far=_of_each(rows, named))]
    if uuid is not None:
        found += [Branch(rows.filter(record_id=uuid)), Branch(rows.filter(run_id=uuid))]
    found += _by_words(rows.filter(action="failed"), asked.text, RECORD_WORDS, RECORD_WORDS_READ)
    return _either(rows, found, bounded=bounded)


def find_calls(actor: Actor, asked: LogFilters, *, bounded: bool = True) -> QuerySet[VendorCall]:
    """Unordered. A text is looked for in the address and the error of calls that went wrong, or is a run's id."""
    rows = _narrow(actor, VendorCall.objects.visible_to(actor), asked)
    if asked.states:
        chosen = Q()
        for state in asked.states:
            chosen |= CALL_STATES[state][1]
        rows = rows.filter(chosen)
        rows = rows if "ok" in asked.states else rows.filter(CALL_FAILED)
    if not asked.text:
        return rows
    uuid = _uuid(asked.text)
    found = [Branch(rows.filter(run_id=uuid))] if uuid is not None else []
    found += _by_words(rows.filter(CALL_FAILED), asked.text, CALL_WORDS, CALL_WORDS_READ)
    return _either(rows, found, bounded=bounded)


def find_runs(actor: Actor, asked: LogFilters) -> QuerySet[SyncRun]:
    """Unordered."""
    rows: QuerySet[SyncRun] = SyncRun.objects.visible_to(actor)
    for field, values in (
        ("customer_id__in", asked.customers), ("flow__integration_id__in", asked.integrations),
        ("flow_id__in", asked.flows), ("status__in", asked.states), ("trigger__in", asked.triggers),
        ("error_class__in", asked.error_classes),
    ):  # fmt: skip
        rows = rows.filter(**{field: values}) if values else rows
    rows = _of_places(actor, rows, asked)
    since, until = asked.period
    rows = rows.filter(queued_at__gte=since) if since else rows
    rows = rows.filter(queued_at__lt=until) if until else rows
    if not asked.text:
        return rows
    uuid = _uuid(asked.text)
    if uuid is not None:
        return rows.filter(pk=uuid)
    text = asked.text
    return rows.filter(
        Q(flow__name__icontains=text) | Q(flow__integration__name__icontains=text) | Q(error_message__icontains=text)
    )


def _of_places(actor: Actor, rows: QuerySet[SyncRun], asked: LogFilters) -> QuerySet[SyncRun]:
    """Runs of integrations that use the systems; runs that did such things to such records."""
    if asked.connections:
        using = RoleBinding.objects.filter(connection_id__in=asked.connections)
        rows = rows.filter(flow__integration__in=using.order_by().values("integration"))
    if asked.run:
        rows = rows.filter(pk=asked.run)
    told = {name: v for name, v in (("entity__in", asked.entities), ("action__in", asked.actions)) if v}
    if not told:
        return rows
    return rows.filter(Exists(RecordLog.objects.visible_to(actor).filter(run_id=OuterRef("pk"), **told)))


def get_record_log(actor: Actor, log_id: int) -> RecordLog:
    """Raises NotVisible."""
    return get_visible(
        RecordLog.objects.visible_to(actor), log_id, "There is no such entry, or its time in the log is over."
    )


def get_vendor_call(actor: Actor, call_id: int) -> VendorCall:
    """Raises NotVisible."""
    return get_visible(
        VendorCall.objects.visible_to(actor), call_id, "There is no such call, or its time in the log is over."
    )


def _narrow(actor: Actor, rows: QuerySet[Row], asked: LogFilters) -> QuerySet[Row]:
    flows = Flow.objects.visible_to(actor)
    chosen = flows.filter(pk__in=asked.flows) if asked.flows else None
    if asked.integrations:
        chosen = (chosen or flows).filter(integration_id__in=asked.integrations)
    if chosen is not None:
        # With their customers: those the log is indexed by.
        known = list(chosen.values_list("pk", "customer_id"))
        rows = rows.filter(flow_id__in=[pk for pk, _ in known], customer_id__in={owner for _, owner in known})
    if asked.customers:
        rows = rows.filter(customer_id__in=asked.customers)
    if asked.connections:
        rows = rows.filter(connection_id__in=asked.connections)
    if asked.run:
        rows = rows.filter(run_id=asked.run)
    since, until = asked.period
    rows = rows.filter(at__gte=since) if since else rows
    return rows.filter(at__lt=until) if until else rows


@dataclass(frozen=True, slots=True)
class Branch:
    """Rows found in one way; `recent` finds the same, and is quick where only few newest rows are looked at. `far` finds
    the newest of them, and is quick where they lie far back; in the order it has, if it has one."""

    rows: QuerySet[Any]
    recent: QuerySet[Any] | None = None
    far: QuerySet[Any] | None = None


def _of_each(rows: QuerySet[RecordLog], record_ids: list[UUID]) -> QuerySet[RecordLog]:
    """The newest of each record, which an index has: the planner would rather walk through the whole log until it has
    enough of all of them."""
    own = rows.filter(record_id=OuterRef("pk")).order_by("-pk").values("pk")[:MOST_MATCHES]
    each = Func(ArraySubquery(own), function="unnest", output_field=BigIntegerField())
    ids = CanonicalRecord.objects.filter(pk__in=record_ids).annotate(one=each).values("one")
    found: QuerySet[RecordLog] = RecordLog.objects.filter(pk__in=ids)
    return found


def _by_words(rows: QuerySet[Any], text: str, indexed: SearchVector, read: SearchVector) -> list[Branch]:
    words = _words(text)
    if not words:
        return []
    # The planner takes several words for so seldom that it would fetch all places of all of them: one word by the index,
    # and the others where that one is.
    recent = rows.annotate(words=indexed, read=read).filter(words=_query(words[-1:]), read=_query(words))
    own = rows.annotate(words=indexed).filter(words=_query(words))
    # In the order of the key itself the planner would walk through everything that ever went wrong, reading its words,
    # where it expects so many matches that it soon has enough.
    return [Branch(own, recent, far=own.order_by((F("pk") + 0).desc()))]


def _either(rows: QuerySet[Row], found: list[Branch], *, bounded: bool) -> QuerySet[Row]:
    """The rows of any branch, each branch through its own index."""
    if not found:
        return rows.none()
    if bounded:
        return rows.filter(pk__in=_newest(rows, found))
    first, *others = (one.rows.order_by().values("pk") for one in found)
    return rows.filter(pk__in=first.union(*others, all=True) if others else first)


def _newest(rows: QuerySet[Row], found: list[Branch]) -> set[int]:
    """The newest matches. Looked for among the newest rows first: a word that stands everywhere is found there at once,
    while all its places together would take long to sort."""
    last = rows.model._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0
    ids: set[int] = set()
    window = [
        (one.rows if one.recent is None else one.recent).filter(pk__gt=last - WINDOW) if last > WINDOW else one.rows
        for one in found
    ]
    for parts in (window, [one.rows if one.far is None else one.far for one in found]):
        ordered = (part if part.ordered else part.order_by("-pk") for part in parts)
        first, *others = (part.values_list("pk", flat=True)[:MOST_MATCHES] for part in ordered)
        ids = set(first.union(*others, all=True) if others else first)
        if len(ids) >= MOST_MATCHES or last <= WINDOW:
            break
    return ids


def _named(actor: Actor, text: str) -> list[UUID]:
    """Records of this name or number, or known by this id in a system; those that changed last."""
    found = search_records(CanonicalRecord.objects.visible_to(actor), text).order_by("-changed_at", "-id")
    return list(found.values_list("pk", flat=True)[:MOST_NAMED])


def _words(text: str) -> list[str]:
    return re.findall(r"[\w.@-]*\w", text.lower())


def _query(words: list[str]) -> SearchQuery:
    """All of the words, the last one as far as it is typed."""
    quoted = ["'" + word.replace("'", "''") + "'" for word in words]
    return SearchQuery(" & ".join([*quoted[:-1], f"{quoted[-1]}:*"]), config="simple", search_type="raw")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip().rpartition("_")[2])
    except ValueError:
        return None
