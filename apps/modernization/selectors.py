from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.visible import get_visible
from apps.customers.models import Customer
from apps.flows.models import Integration, IntegrationStatus
from apps.modernization.fields import FieldChoice, choices_of, custom_fields, systems_of
from apps.modernization.models import (
    ChecklistPoint,
    InterfaceStatus,
    LegacyInterface,
    MigrationWave,
    ParallelDifference,
    ParallelRun,
)
from apps.modernization.planning import Needs


def list_interfaces(actor: Actor) -> QuerySet[LegacyInterface]:
    """By name. Raises NotPermitted."""
    actor.require("integrations.view")
    found = LegacyInterface.objects.visible_to(actor).select_related("customer", "wave", "integration__environment")
    return found.defer("integration__settings", "integration__author_ids").order_by("name", "id")


def get_interface(actor: Actor, interface_id: UUID) -> LegacyInterface:
    """Raises NotVisible, NotPermitted."""
    return get_visible(list_interfaces(actor), interface_id, "There is no such interface.")


def get_interfaces(actor: Actor, interface_ids: Iterable[UUID]) -> tuple[LegacyInterface, ...]:
    """All of them, by name. Raises NotVisible, NotPermitted."""
    wanted = set(interface_ids)
    found = tuple(list_interfaces(actor).filter(pk__in=wanted))
    if len(found) < len(wanted):
        raise NotVisible("There is no such interface.")
    return found


def read_needs(interfaces: Iterable[LegacyInterface]) -> Needs:
    """{interface: what it depends on}, in one question."""
    through = LegacyInterface.depends_on.through
    found: dict[UUID, list[UUID]] = defaultdict(list)
    rows = through.objects.filter(from_legacyinterface__in=[interface.pk for interface in interfaces])
    for one, other in rows.order_by("to_legacyinterface__name", "id").values_list(
        "from_legacyinterface_id", "to_legacyinterface_id"
    ):
        found[one].append(other)
    return found


def list_waves(actor: Actor) -> QuerySet[MigrationWave]:
    """In their order. Raises NotPermitted."""
    actor.require("integrations.view")
    return MigrationWave.objects.visible_to(actor).select_related("customer").order_by("position", "created_at", "id")


def get_wave(actor: Actor, wave_id: UUID) -> MigrationWave:
    """Raises NotVisible, NotPermitted."""
    return get_visible(list_waves(actor), wave_id, "There is no such wave.")


def get_point(actor: Actor, point_id: UUID) -> ChecklistPoint:
    """Raises NotVisible, NotPermitted."""
    actor.require("integrations.view")
    visible = LegacyInterface.objects.visible_to(actor)
    found = ChecklistPoint.objects.filter(pk=point_id, interface__in=visible).select_related("interface").first()
    if found is None:
        raise NotVisible("There is no such point.")
    return found


def list_parallel_runs(actor: Actor) -> QuerySet[ParallelRun]:
    """Newest first. Raises NotPermitted."""
    actor.require("integrations.view")
    runs: QuerySet[ParallelRun] = ParallelRun.objects.visible_to(actor)
    return runs.select_related("environment", "integration", "interface__customer", "interface__integration").order_by(
        "-id"
    )


def with_open_counts(runs: QuerySet[ParallelRun]) -> QuerySet[ParallelRun]:
    """Each with `open_count`, as the function of that name counts: in the question that lists them."""
    rows = ParallelDifference.objects.filter(run=OuterRef("pk"), accepted_at__isnull=False)
    # Counted for the listed runs only: joined, the findings of all would be.
    accepted = Coalesce(Subquery(rows.order_by().values("run").annotate(count=Count("pk")).values("count")), 0)
    return runs.annotate(open_count=Greatest(F("finding_count") - accepted, 0, output_field=IntegerField()))


def get_parallel_run(actor: Actor, run_id: UUID) -> ParallelRun:
    """Raises NotVisible, NotPermitted."""
    return get_visible(list_parallel_runs(actor), run_id, "There is no such comparison.")


def choices_for(asked: LegacyInterface | ParallelRun, entity: str) -> dict[str, FieldChoice]:
    """What columns can be said to hold: of an interface now, of a comparison when it was started."""
    return choices_of(entity, custom_fields(asked.customer_id, entity), systems_of(asked.integration))


def list_differences(actor: Actor, run: ParallelRun) -> QuerySet[ParallelDifference]:
    """What it found, values included. Raises NotPermitted."""
    actor.require("records.view")
    return ParallelDifference.objects.filter(run=run, run__in=ParallelRun.objects.visible_to(actor))


def open_count(run: ParallelRun) -> int:
    """Findings that nobody has accepted, also those beyond the listed ones."""
    accepted = ParallelDifference.objects.filter(run=run, accepted_at__isnull=False).count()
    return max(run.finding_count - accepted, 0)


def replacements_for(customer: Customer) -> QuerySet[Integration]:
    """What may replace an interface of the customer, by name."""
    own = Integration.objects.filter(customer=customer).exclude(status=IntegrationStatus.RETIRED)
    return own.select_related("environment").order_by("name", "id")


@dataclass
class WaveState:
    """A wave (None: what stands in none) with its interfaces by name, and how many of them are done."""

    wave: MigrationWave | None
    interfaces: list[LegacyInterface] = field(default_factory=list)

    @property
    def done_count(self) -> int:
        return sum(interface.is_gone for interface in self.interfaces)

    @property
    def parallel_count(self) -> int:
        return sum(interface.status == InterfaceStatus.PARALLEL for interface in self.interfaces)


def by_wave(waves: Iterable[MigrationWave], interfaces: Iterable[LegacyInterface]) -> list[WaveState]:
    """The waves in their order; what stands in none comes last, where there is any."""
    states = {wave.pk: WaveState(wave) for wave in waves}
    rest = WaveState(None)
    for interface in interfaces:
        state = states.get(interface.wave_id) if interface.wave_id else None
        (state or rest).interfaces.append(interface)
    return [*states.values(), *([rest] if rest.interfaces else [])]
