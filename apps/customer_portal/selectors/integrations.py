"""An integration as its customer knows it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.core.actor import Actor
from apps.core.visible import get_visible
from apps.customer_portal.selectors.landscape import Landscape, list_integrations
from apps.customer_portal.words import join_words
from apps.flows.models import Integration, IntegrationStatus
from apps.ui.status import Status, Tone

_ORDER = (Tone.FAILING, Tone.ATTENTION, Tone.INFO, Tone.OK)


@dataclass(frozen=True, slots=True)
class IntegrationCard:
    integration: Integration
    summary: str
    systems: str
    status: Status


def get_integration(actor: Actor, integration_id: UUID) -> Integration:
    """Raises NotVisible."""
    return get_visible(list_integrations(actor), integration_id, "There is no such integration.")


def paragraphs_of(integration: Integration) -> list[str]:
    """The template's documentation: paragraphs stand apart by an empty line."""
    text = str(integration.template_version.definition.get("documentation", ""))
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def integration_cards(landscape: Landscape) -> list[IntegrationCard]:
    return [
        IntegrationCard(
            integration,
            integration.template_version.template.summary,
            _systems(landscape, integration),
            _status(landscape, integration),
        )
        for integration in landscape.integrations
    ]


def _systems(landscape: Landscape, integration: Integration) -> str:
    own = [state for state in landscape.flows if state.flow.integration_id == integration.pk]
    names = [system.name for state in own for system in state.systems]
    return join_words(sorted(set(names), key=str.lower))


def _status(landscape: Landscape, integration: Integration) -> Status:
    """The worst of its flows; before and after its life, where it stands."""
    if integration.status != IntegrationStatus.LIVE:
        label = IntegrationStatus(integration.status).label
        return Status(label, Tone.IDLE, Tone.IDLE.icon, integration.status)
    states = [state.status for state in landscape.flows if state.flow.integration_id == integration.pk]
    for tone in _ORDER:
        worst = next((status for status in states if status.tone is tone), None)
        if worst is not None:
            return worst
    return Status("Paused", Tone.IDLE, Tone.IDLE.icon, "paused")
