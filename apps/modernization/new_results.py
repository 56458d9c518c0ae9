"""What the engine produced: the canonical records that the systems of an integration hold, as it keeps them in step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform

from apps.canonical.models import CanonicalLink, CanonicalRecord, CrossReference
from apps.customers.models import Environment
from apps.modernization.comparison import Comparison, show_value
from apps.modernization.fields import FieldChoice

BATCH = 1_000
Row = tuple[UUID, dict[str, Any]]


def records_of(
    environment: Environment, entity: str, comparison: Comparison, systems: Iterable[UUID]
) -> QuerySet[CanonicalRecord]:
    """Those that at least one of the systems holds, within the period."""
    held = CrossReference.objects.filter(record_id=OuterRef("pk"), connection_id__in=list(systems), deleted_at=None)
    found: Any = CanonicalRecord.objects.filter(Exists(held), environment=environment, entity=entity)
    if comparison.date_field:
        # Dates are kept as YYYY-MM-DD: their texts have the order of the days.
        found = found.annotate(day=KeyTextTransform(comparison.date_field, "data"))
        if comparison.first_day:
            found = found.filter(day__gte=comparison.first_day.isoformat())
        if comparison.last_day:
            found = found.filter(day__lte=comparison.last_day.isoformat())
    records: QuerySet[CanonicalRecord] = found
    return records


def read_records(ids: Sequence[UUID], choices: Sequence[FieldChoice]) -> Iterator[list[tuple[UUID, dict[str, str]]]]:
    """Batches of (record, {token: text}): each batch is a query of its own, and no transaction stays open."""
    for start in range(0, len(ids), BATCH):
        rows = CanonicalRecord.objects.filter(pk__in=ids[start : start + BATCH])
        yield _told(list(rows.values_list("pk", "data")), choices)


def _told(batch: Sequence[Row], choices: Sequence[FieldChoice]) -> list[tuple[UUID, dict[str, str]]]:
    ids = [pk for pk, _ in batch]
    linked = _linked(ids, {one.reference for one in choices if one.reference})
    known = _external_ids(ids, [UUID(one.path) for one in choices if one.kind == "id"])
    told = []
    for pk, data in batch:
        values = {}
        for choice in choices:
            if choice.kind == "id":
                values[choice.token] = known.get((pk, choice.path), "")
            else:
                place = linked.get((pk, choice.reference), {}) if choice.reference else data
                values[choice.token] = show_value(place.get(choice.path), choice)
        told.append((pk, values))
    return told


def _linked(ids: Sequence[UUID], names: Iterable[str]) -> Mapping[tuple[UUID, str], dict[str, Any]]:
    wanted = sorted(names)
    if not wanted:
        return {}
    links = CanonicalLink.objects.filter(source_id__in=ids, name__in=wanted)
    return {(source, name): data for source, name, data in links.values_list("source_id", "name", "target__data")}


def _external_ids(ids: Sequence[UUID], systems: Sequence[UUID]) -> Mapping[tuple[UUID, str], str]:
    """Where a system knows the record under several ids, they are joined in their order."""
    if not systems:
        return {}
    found: dict[tuple[UUID, str], list[str]] = defaultdict(list)
    rows = CrossReference.objects.filter(record_id__in=ids, connection_id__in=systems, deleted_at=None)
    for record_id, connection_id, external_id in rows.values_list("record_id", "connection_id", "external_id"):
        found[record_id, str(connection_id)].append(external_id)
    return {place: ", ".join(sorted(set(values))) for place, values in found.items()}
