"""What changed, in business language. A line is one change of one record, however many systems it reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.canonical.models import CanonicalLink, CanonicalRecord, Entity, name_of
from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.customer_portal.selectors.landscape import describe_system
from apps.customer_portal.words import join_words
from apps.customers.models import Environment, EnvironmentKind
from apps.flows.models import Integration
from apps.sync.models import RecordAction, RecordLog

WRITTEN = (RecordAction.CREATED, RecordAction.UPDATED)
MAX_SEARCH_HITS = 500
_BELONGING = {"account": "for", "project": "on"}
_ICONS = {
    Entity.ACCOUNT: "building", Entity.CONTACT: "user", Entity.OPPORTUNITY: "heart-handshake", Entity.PROJECT: "briefcase",
    Entity.TASK: "checklist", Entity.RESOURCE: "user-circle", Entity.TIME_ENTRY: "clock", Entity.INVOICE: "file-invoice",
    Entity.PAYMENT: "cash",
}  # fmt: skip


@dataclass(slots=True)
class ActivityLine:
    """`systems` grows while neighboring facts tell the same change at another system."""

    key: tuple[Any, ...]
    at: datetime
    action: str
    entity: str
    record_id: UUID | None
    name: str
    belongs_to: str
    systems: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        verb = "created" if self.action == RecordAction.CREATED else "updated"
        label = str(Entity(self.entity).label)
        subject = self.name if self.name.startswith(label) else f"{label} {self.name}".rstrip()
        return f"{subject} {verb} in {join_words(self.systems)}{self.belongs_to}"

    @property
    def icon(self) -> str:
        return _ICONS.get(Entity(self.entity), "database")

    @property
    def tone(self) -> str:
        return "ok" if self.action == RecordAction.CREATED else "idle"


def list_activity(
    actor: Actor, *, search: str = "", entities: Iterable[str] = (), integration: Integration | None = None
) -> QuerySet[Any]:
    """What was written to systems in production, for keyset paging by `-id`."""
    production = Environment.objects.filter(customer__in=actor.scope or (), kind=EnvironmentKind.PRODUCTION)
    logs = RecordLog.objects.visible_to(actor).filter(
        environment_id__in=production.values("id"), direction="write", action__in=WRITTEN
    )
    if integration is not None:
        logs = logs.filter(flow_id__in=integration.flows.values("id"))
    if entities:
        logs = logs.filter(entity__in=list(entities))
    if search:
        logs = logs.filter(record_id__in=_find_records(actor, search))
    return logs


def _find_records(actor: Actor, search: str) -> list[UUID]:
    named = Q(title__icontains=search) | Q(number__icontains=search)
    found = CanonicalRecord.objects.visible_to(actor).production().filter(named).order_by("-changed_at")
    return list(found.values_list("id", flat=True)[:MAX_SEARCH_HITS])


def tell(actor: Actor, logs: Iterable[Any]) -> list[ActivityLine]:
    """The facts as lines, newest first. Three queries, whatever the number of facts."""
    facts = list(logs)
    records = _records(actor, facts)
    owners = _owners_of(records)
    systems = _system_names(actor, facts)
    lines: list[ActivityLine] = []
    for fact in facts:
        key = (fact.record_id or fact.external_id, fact.run_id, fact.action)
        if not lines or lines[-1].key != key:
            lines.append(_line(key, fact, records, owners))
        name = systems.get(fact.connection_id, "a system")
        if name not in lines[-1].systems:
            lines[-1].systems.insert(0, name)
    return lines


def _line(
    key: tuple[Any, ...], fact: Any, records: dict[UUID, CanonicalRecord], owners: dict[UUID, str]
) -> ActivityLine:
    record = records.get(fact.record_id)
    return ActivityLine(
        key=key,
        at=fact.at,
        action=fact.action,
        entity=fact.entity,
        record_id=record.pk if record else None,
        name=name_record(record) if record else fact.title,
        belongs_to=owners.get(fact.record_id, ""),
    )


def name_record(record: CanonicalRecord) -> str:
    """People know an invoice by its number and everything else by its name."""
    if record.entity in (Entity.INVOICE, Entity.PAYMENT) and record.number:
        return name_of(record.entity, record.number)
    return str(record)


def _records(actor: Actor, facts: list[Any]) -> dict[UUID, CanonicalRecord]:
    ids = {fact.record_id for fact in facts if fact.record_id}
    found = CanonicalRecord.objects.visible_to(actor).filter(pk__in=ids).defer("data")
    return {record.pk: record for record in found}


def _owners_of(records: dict[UUID, CanonicalRecord]) -> dict[UUID, str]:
    """For whom a record is, or else on which project."""
    links = CanonicalLink.objects.filter(source__in=list(records), name__in=_BELONGING).select_related("target")
    ordered = sorted(links, key=lambda link: list(_BELONGING).index(link.name), reverse=True)
    return {link.source_id: f" {_BELONGING[link.name]} {link.target.title}" for link in ordered}


def _system_names(actor: Actor, facts: list[Any]) -> dict[UUID, str]:
    ids = {fact.connection_id for fact in facts}
    found = Connection.objects.visible_to(actor).filter(pk__in=ids)
    return {connection.pk: describe_system(connection).name for connection in found}


def group_by_day(lines: Iterable[ActivityLine], day_of: Any) -> list[tuple[Any, list[ActivityLine]]]:
    """Lines under the day they happened on, in the viewer's zone; the order stays."""
    days: dict[Any, list[ActivityLine]] = defaultdict(list)
    for line in lines:
        days[day_of(line.at)].append(line)
    return list(days.items())
