"""Which custom fields a customer's records may have."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from apps.canonical.models import CustomField


def declared_fields(customer_id: UUID, entity: str = "") -> list[CustomField]:
    """The customer's own and the partner's, archived ones too, in the order of their declaration."""
    found = CustomField.objects.filter(Q(only_for=None) | Q(only_for_id=customer_id))
    return list((found.filter(entity=entity) if entity else found).order_by("declared_at", "id"))


def custom_kinds(customer_id: UUID, entity: str) -> dict[str, str]:
    """Kinds by name (`x_region`: `text`), for `validate_entity`."""
    return {found.name: str(found.kind) for found in declared_fields(customer_id, entity)}
