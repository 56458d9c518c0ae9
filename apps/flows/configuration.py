"""A customer's integrations as a text: what is exported can be kept, compared, and applied here or elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from apps.customers.models import Environment
from apps.flows.definition import Direction, MappingSpec, Part
from apps.flows.layers import published_mappings
from apps.flows.models import Integration, IntegrationStatus
from apps.flows.sources import Document, as_source, read_document
from apps.flows.states import state_of

KIND = "customer"
Fields = dict[str, str]


class PolicyDoc(Part, frozen=True):
    """The integration's own answer for a field, instead of its template's."""

    entity: str
    field: str
    policy: str
    role: str = ""


class MappingDoc(Part, frozen=True):
    """The customer's layer of one object; an empty expression leaves the field out."""

    role: str
    direction: Direction
    object: str
    fields: Fields


class IntegrationDoc(Part, frozen=True):
    """One integration. `systems` are names of connections by role; `starts` says what starts each flow."""

    name: str
    template: str
    version: str
    systems: dict[str, str]
    status: Literal["draft", "live", "paused"] = "live"
    settings: dict[str, Any] = {}
    starts: dict[str, list[dict[str, Any]]] = {}
    mappings: list[MappingDoc] = []
    policies: list[PolicyDoc] = []


class CustomerDoc(Part, frozen=True):
    """All integrations of a customer's environment; the name tells them apart."""

    kind: Literal["customer"]
    customer: str
    environment: Literal["production", "sandbox"]
    integrations: list[IntegrationDoc] = []


def read_customer(text: str) -> tuple[Document, CustomerDoc]:
    """This function will read a text. Raises InvalidSource with line, place and reason."""
    document = read_document(text)
    return document, document.read_as(CustomerDoc)


def export_environment(environment: Environment) -> str:
    """Every integration of the environment that is not retired, as YAML, in the order of their names."""
    found = Integration.objects.filter(environment=environment).exclude(status=IntegrationStatus.RETIRED)
    related = found.select_related("template_version__template").order_by("name", "id")
    doc = CustomerDoc(
        kind="customer", customer=environment.customer.slug,
        environment="sandbox" if environment.kind == "sandbox" else "production",
        integrations=[describe(integration) for integration in related],
    )  # fmt: skip
    return as_source(msgspec.to_builtins(doc))


def describe(integration: Integration) -> IntegrationDoc:
    """The integration as it is published; what is edited and not published is not in it."""
    state = state_of(integration)
    bindings = integration.role_bindings.select_related("connection").order_by("role")
    return IntegrationDoc(
        name=integration.name, template=state.version.template.key, version=state.version.number,
        systems={binding.role: binding.connection.name for binding in bindings},
        status=_status(integration), settings=dict(sorted(state.settings.items())),
        starts=dict(sorted(state.starts.items())), mappings=own_mappings(published_mappings(integration)),
        policies=[PolicyDoc(**policy) for policy in state.policies],
    )  # fmt: skip


def own_mappings(mappings: Iterable[MappingSpec]) -> list[MappingDoc]:
    """What is the customer's own of published mappings, in a fixed order."""
    found = []
    for mapping in mappings:
        own = {name: mapping.fields[name] for name, layer in sorted(mapping.origins.items()) if layer == "customer"}
        if own:
            found.append(
                MappingDoc(role=mapping.role, direction=mapping.direction, object=mapping.object_name, fields=own)
            )
    return sorted(found, key=lambda doc: (doc.role, doc.direction, doc.object))


def _status(integration: Integration) -> Literal["draft", "live", "paused"]:
    if integration.status == IntegrationStatus.LIVE:
        return "live"
    return "paused" if integration.status == IntegrationStatus.PAUSED else "draft"
