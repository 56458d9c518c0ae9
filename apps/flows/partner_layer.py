"""The partner's layer of mappings: what holds for every customer with a system, and which integrations do not do it yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.connectors.registry import get_manifest
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.visible import get_visible
from apps.flows.definition import Direction, MappingSpec
from apps.flows.layers import as_direction, draft_mappings, parts_of_all, place_of, published_mappings
from apps.flows.models import Flow, Integration, MappingOverride, MappingPublication
from apps.flows.selectors import list_integrations

PARTNER = "partner"


@dataclass(frozen=True)
class PartnerObject:
    """One object of one system with the fields that the partner's layer changes; `below` is the connector's own."""

    vendor: str
    vendor_name: str
    direction: Direction
    object_name: str
    label: str
    entity: str
    below: dict[str, str] = field(default_factory=dict)
    fields: list[MappingOverride] = field(default_factory=list)

    @property
    def rows(self) -> list[tuple[MappingOverride, str]]:
        return [(row, self.below.get(row.field, "")) for row in self.fields]


@dataclass(frozen=True)
class Standing:
    """Where an integration stands: what its flows do, and what they would do once published."""

    integration: Integration
    published: list[MappingSpec]
    drafted: list[MappingSpec]

    @property
    def from_partner(self) -> int:
        """Fields that the partner's layer would change in it."""
        return sum(1 for _, origin in self._differences() if origin == PARTNER)

    @property
    def others(self) -> int:
        """Fields that would change with them: what is edited in the integration itself, or came with its template."""
        return sum(1 for _, origin in self._differences() if origin != PARTNER)

    @property
    def is_current(self) -> bool:
        return not self._differences()

    def _differences(self) -> list[tuple[str, str]]:
        before = {place_of(mapping): mapping for mapping in self.published}
        after = {place_of(mapping): mapping for mapping in self.drafted}
        found = []
        for place in {*before, *after}:
            old, new = before.get(place), after.get(place)
            was, now = (old.fields if old else {}), (new.fields if new else {})
            for name in {*was, *now}:
                if was.get(name) != now.get(name):
                    # What was taken back tells where it came from only in what is in force.
                    origin = (new.origins.get(name) if new else None) or (old.origins.get(name, "") if old else "")
                    found.append((name, origin))
        return found


def partner_objects() -> list[PartnerObject]:
    """By system, then object. Fields of a system that is not in the catalogue any more show with its key."""
    found: dict[tuple[str, Direction, str], PartnerObject] = {}
    for row in MappingOverride.objects.filter(integration=None).order_by("vendor", "object_name", "direction", "field"):
        place = (row.vendor, as_direction(row.direction), row.object_name)
        if place not in found:
            found[place] = _described(*place)
        found[place].fields.append(row)
    return list(found.values())


def find_partner_object(vendor: str, direction: Direction, object_name: str) -> PartnerObject:
    """The object whether or not anything is changed in it. Raises NotVisible where the system has no such object."""
    described = _described(vendor, direction, object_name)
    if not described.entity:
        raise NotVisible("The system has no such object.")
    return described


def integrations_of_layer(actor: Actor) -> QuerySet[Integration]:
    """Those with a system that the layer speaks of, or whose flows still do what was taken back of it."""
    vendors = MappingOverride.objects.filter(integration=None).values("vendor")
    doing = Flow.objects.filter(retired_at=None, current_version__definition__icontains='"partner"')
    touched = Q(role_bindings__connection__vendor__in=vendors) | Q(pk__in=doing.values("integration"))
    return list_integrations(actor).filter(touched).distinct()


def list_publications(actor: Actor) -> QuerySet[MappingPublication]:
    """Newest first."""
    found: QuerySet[MappingPublication] = MappingPublication.objects.visible_to(actor).order_by("-requested_at", "-id")
    return found


def get_publication(actor: Actor, publication_id: UUID) -> MappingPublication:
    """Raises NotVisible."""
    return get_visible(list_publications(actor), publication_id, "There is no such publication.")


def standings(integrations: Sequence[Integration]) -> list[Standing]:
    """Of all of them with a handful of queries."""
    parts = parts_of_all(integrations)
    return [
        Standing(
            integration,
            published_mappings(integration, parts[integration.pk]),
            draft_mappings(integration, parts=parts[integration.pk]),
        )
        for integration in integrations
    ]


def _described(vendor: str, direction: Direction, object_name: str) -> PartnerObject:
    try:
        manifest = get_manifest(vendor)
        spec = manifest.stream(object_name) if direction == "read" else manifest.sink(object_name)
    except LookupError:
        return PartnerObject(vendor, vendor, direction, object_name, object_name, "")
    return PartnerObject(
        vendor, manifest.name, direction, object_name, spec.label, spec.entity, below=dict(spec.fields)
    )
