"""The payload of a failed record on its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.canonical.models import CanonicalRecord
from apps.core.actor import Actor
from apps.flows.layers import mapped_objects
from apps.sync.models import RecordFailure
from apps.sync.sent import LINKS, is_ours, object_label, ordered_payload


@dataclass(frozen=True, slots=True)
class SentView:
    """`fields` as people read them, `exact` as they went out; nothing of it for roles that see no payloads."""

    title: str
    object_label: str
    fields: dict[str, Any]
    exact: dict[str, Any]
    is_ours: bool


def describe_sent(actor: Actor, failure: RecordFailure) -> SentView:
    payload = ordered_payload(failure) if actor.can("payloads.view") else {}
    ours = is_ours(failure)
    title = "As it was invoiced" if ours else "What we tried to write"
    fields = _with_names(actor, payload) if ours else payload
    return SentView(title, object_label(failure), fields, payload, ours)


def mapping_url(actor: Actor, failure: RecordFailure) -> str:
    """Where people change what made this record; empty for who may not, and for objects that nothing maps."""
    if is_ours(failure) or not actor.can("integrations.manage"):
        return ""
    wanted = (failure.connection_id, failure.direction, failure.object_name)
    integration = failure.flow.integration
    for mapped in mapped_objects(integration):
        if (mapped.connection.pk, mapped.direction, mapped.object_name) == wanted:
            return reverse("partner_portal:mapping", args=[integration.pk, *mapped.place])
    return ""


def _with_names(actor: Actor, payload: dict[str, Any]) -> dict[str, Any]:
    """What other records are called instead of their ids."""
    ids = {str(payload[name]) for name in LINKS & payload.keys() if payload[name]}
    if not ids:
        return payload
    found = CanonicalRecord.objects.visible_to(actor).filter(pk__in=ids).defer("data")
    names = {str(record.pk): str(record) for record in found}
    return {name: names.get(str(value), value) if name in LINKS else value for name, value in payload.items()}
