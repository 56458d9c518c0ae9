"""What a definition must hold together: names that exist, one action per rule, expressions that compile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.connectors.sdk.entities import ENTITIES, REFERENCES
from apps.core import expressions
from apps.flows.triggers import LONGEST_SECONDS, SHORTEST_SECONDS, is_cron
from apps.flows.words import (
    CONFLICT_POLICIES,
    CUSTOMER_ROLES,
    DELETE_POLICIES,
    STAFF_ROLES,
    SYSTEM_OF_RECORD,
    TRIGGERING_EVENTS,
    InvalidDefinition,
)

if TYPE_CHECKING:
    from apps.flows.definition import AggregateSpec, FlowSpec, ReadSpec, RuleSpec, TriggerSpec

# Input names of the business services; the room that carries them out stands above and checks their values.
SERVICES: dict[str, frozenset[str]] = {
    "create_customer": frozenset({"name", "number", "domain", "email", "phone", "website", "currency", "tax_id"}),
    "provision_project": frozenset(
        {"name", "account", "opportunity", "code", "budget", "start_date", "end_date", "first_task"}
    ),
    "update_resource": frozenset({"resource", "email", "name", "new_email", "status"}),
    "generate_invoice": frozenset(
        {"account", "project", "currency", "reference", "status", "issue_date", "due_date", "lines"}
    ),
    "payment_status": frozenset({"opportunity"}),
    "complete_milestone": frozenset({"milestone", "completed_date"}),
}
_PATH = re.compile(r" - at `\$(.*)`$")
_STEPS = re.compile(r"^\.flows\[(\d+)\](?:\.(reads|rules|aggregate|triggers)\[(\d+)\])?(.*)$")
_PARTS = {"reads": "read", "rules": "rule", "aggregate": "aggregate", "triggers": "trigger"}


@dataclass(frozen=True)
class _Place:
    """Says where in the file a demand was not met: in words, and by its path in the data."""

    file: str
    words: tuple[str, ...]
    path: str

    def within(self, words: str, path: str) -> _Place:
        return _Place(self.file, (*self.words, words), f"{self.path}.{path}")

    def demand(self, condition: bool, message: str) -> None:
        if not condition:
            raise InvalidDefinition(message, file=self.file, where=", ".join(self.words), path=self.path)

    def expressions(self, fields: dict[str, str]) -> None:
        given = {name: source for name, source in fields.items() if source}
        try:
            expressions.compile(given)
        except expressions.ExpressionError as error:
            self.demand(False, str(error))


def unreadable(message: str, data: dict[str, Any], file: str) -> InvalidDefinition:
    """A decoder's message with its JSON path as a person counts: “flow won-deals, rule 3”."""
    found = _PATH.search(message)
    path = found[1] if found else ""
    reason = message[: found.start()] if found else message
    steps = _STEPS.match(path)
    if steps is None:
        return InvalidDefinition(f"{reason} (in {path.lstrip('.')})" if path else reason, file=file, path=path)
    flow = data["flows"][int(steps[1])]
    name = flow.get("key", int(steps[1]) + 1) if isinstance(flow, dict) else int(steps[1]) + 1
    part = f", {_PARTS[steps[2]]} {int(steps[3]) + 1}" if steps[2] else ""
    inner = f" (in {steps[4].lstrip('.')})" if steps[4] else ""
    return InvalidDefinition(f"{reason}{inner}", file=file, where=f"flow {name}{part}", path=path)


def check_flow(flow: FlowSpec, roles: set[str], file: str, index: int) -> None:
    """Raises InvalidDefinition."""
    place = _Place(file, (f"flow {flow.key}",), f".flows[{index}]")
    for number, read in enumerate(flow.reads):
        _check_read(place.within(f"read {number + 1}", f"reads[{number}]"), read, roles)
    _check_triggers(place, flow, roles)
    for mapping in flow.mappings:
        place.demand(mapping.role in roles, f"unknown role {mapping.role!r}")
        place.expressions(mapping.fields)
    _check_policies(place, flow, roles)
    for number, rule in enumerate(flow.rules):
        _check_rule(place.within(f"rule {number + 1} (on {rule.on})", f"rules[{number}]"), rule, roles)
    for number, spec in enumerate(flow.aggregate):
        _check_aggregate(place.within(f"aggregate {number + 1}", f"aggregate[{number}]"), spec)
    _check_unique(place, flow)


def _check_triggers(place: _Place, flow: FlowSpec, roles: set[str]) -> None:
    for number, trigger in enumerate(flow.triggers):
        _check_trigger(place.within(f"trigger {number + 1}", f"triggers[{number}]"), trigger, roles)
    is_scheduled = any(trigger.every or trigger.cron for trigger in flow.triggers)
    # A vendor's message may get lost: what is only told is never known for sure.
    place.demand(is_scheduled or not flow.webhook_role, "a webhook is backed by a schedule: add every or cron")


def _check_trigger(place: _Place, trigger: TriggerSpec, roles: set[str]) -> None:
    given = [trigger.every, trigger.cron, trigger.webhook, trigger.event, trigger.manual, trigger.api]
    place.demand(sum(map(bool, given)) == 1, "a trigger is exactly one of every, cron, webhook, event, manual, api")
    place.demand(
        not trigger.every or trigger.every >= SHORTEST_SECONDS, f"every is at least {SHORTEST_SECONDS} seconds"
    )
    place.demand(trigger.every <= LONGEST_SECONDS, "every is at most a year")
    place.demand(not trigger.cron or is_cron(trigger.cron), f"{trigger.cron!r} is no cron expression of five fields")
    place.demand(not trigger.webhook or trigger.webhook in roles, f"unknown role {trigger.webhook!r}")
    place.demand(not trigger.event or trigger.event in TRIGGERING_EVENTS, f"unknown event {trigger.event!r}")


def _check_read(place: _Place, read: ReadSpec, roles: set[str]) -> None:
    place.demand(read.role in roles, f"unknown role {read.role!r}")
    place.demand(bool(read.stream) != bool(read.entity), "a read names either its stream or its entity")
    place.demand(not read.entity or read.entity in ENTITIES, f"unknown entity {read.entity!r}")
    place.expressions({**read.fields, "filter": read.filter})


def _check_policies(place: _Place, flow: FlowSpec, roles: set[str]) -> None:
    for entity, fields in flow.conflicts.items():
        place.demand(entity in ENTITIES, f"unknown entity {entity!r}")
        for name, spec in fields.items():
            place.demand(name == "*" or name in _fields_of(entity), f"{entity} has no field {name!r}")
            place.demand(spec.policy in CONFLICT_POLICIES, f"unknown policy {spec.policy!r}")
            is_owned = spec.policy == SYSTEM_OF_RECORD
            place.demand(is_owned == bool(spec.role), "system_of_record names a role, others do not")
            place.demand(not spec.role or spec.role in roles, f"unknown role {spec.role!r}")
    for entity, policy in flow.deletes.items():
        place.demand(entity in ENTITIES, f"unknown entity {entity!r}")
        place.demand(policy in DELETE_POLICIES, f"unknown policy {policy!r}")


def _check_rule(place: _Place, rule: RuleSpec, roles: set[str]) -> None:
    place.demand(rule.on in ENTITIES, f"unknown entity {rule.on!r}")
    actions = [rule.derive, rule.update, rule.write, rule.call, rule.notify]
    place.demand(sum(map(bool, actions)) == 1, "a rule does exactly one of derive, update, write, call, notify")
    place.demand(rule.approve is None or rule.write is not None, "approve goes with a write")
    place.expressions({**rule.fields, "when": rule.when, "gather": rule.gather})
    if rule.derive:
        _check_derive(place, rule)
    if rule.update:
        place.demand(_end_of(rule.on, rule.via) == rule.update, f"via does not lead from {rule.on} to {rule.update}")
        _check_fields(place, rule.update, rule.fields)
    if rule.write:
        _check_write(place, rule, roles)
    if rule.call:
        _check_call(place, rule.call.service, rule.call.inputs)
    if rule.notify:
        unknown = set(rule.notify.to) - {*STAFF_ROLES, *CUSTOMER_ROLES}
        place.demand(not unknown, f"nobody has the role {', '.join(sorted(unknown))!r}")
        place.demand(bool(rule.notify.to), "a notice goes to somebody")
        place.expressions({"subject": rule.notify.subject, "text": rule.notify.text})


def _check_derive(place: _Place, rule: RuleSpec) -> None:
    place.demand(rule.derive in ENTITIES, f"unknown entity {rule.derive!r}")
    place.demand(bool(rule.alias), "a derived record needs a name (as)")
    place.demand(set(rule.refs) <= set(REFERENCES[rule.derive]), f"{rule.derive} has no such reference")
    origins = {"self", *REFERENCES[rule.on]}
    for name, origin in rule.refs.items():
        if "." in origin:
            end = _end_of(rule.on, origin.split("."))
            place.demand(not rule.gather, "a derived summary (gather) takes references of its own records alone")
            place.demand(end == REFERENCES[rule.derive][name], f"{origin} does not lead from {rule.on} to {name}")
        else:
            place.demand(origin in origins, f"{rule.on} has no such reference")
    _check_fields(place, rule.derive, rule.fields)
    unknown = set(rule.per) - origins - _fields_of(rule.on)
    place.demand(not unknown, f"{rule.on} has no field or reference {', '.join(sorted(unknown))!r}")
    leads = any(name in REFERENCES[rule.on] for name in rule.per)
    place.demand(not rule.gather or leads, "a derived summary (gather) needs a reference in per")


def _check_write(place: _Place, rule: RuleSpec, roles: set[str]) -> None:
    assert rule.write is not None  # noqa: S101 - asked by the caller
    place.demand(rule.write.role in roles, f"unknown role {rule.write.role!r}")
    place.demand(set(rule.write.ensure) <= set(REFERENCES[rule.on]), f"{rule.on} has no such reference to ensure")
    for name in [*rule.write.fields, *rule.write.adopt, *(rule.approve.show if rule.approve else [])]:
        place.demand(name in _fields_of(rule.on) or name.startswith("x_"), f"{rule.on} has no field {name!r}")


def _check_call(place: _Place, service: str, inputs: dict[str, str]) -> None:
    place.demand(service in SERVICES, f"there is no business service {service!r}")
    unknown = set(inputs) - SERVICES[service]
    place.demand(not unknown, f"{service} takes no {', '.join(sorted(unknown))!r}")
    place.expressions(inputs)


def _check_aggregate(place: _Place, spec: AggregateSpec) -> None:
    place.demand(spec.collect in ENTITIES, f"unknown entity {spec.collect!r}")
    place.demand(spec.into in ENTITIES and "lines" in _fields_of(spec.into), f"{spec.into!r} is no document with lines")
    group = _end_of(spec.collect, spec.group_by.split("."))
    place.demand(bool(group), f"group_by does not lead anywhere from {spec.collect}")
    place.demand(
        REFERENCES[spec.collect].get(spec.mark) == spec.into, f"{spec.mark!r} does not refer to the {spec.into}"
    )
    place.demand(set(spec.refs) <= set(REFERENCES[spec.into]), f"{spec.into} has no such reference")
    place.demand(set(spec.refs.values()) <= {"self", *REFERENCES[group]}, f"{group} has no such reference")
    unknown = set(spec.match) - _fields_of(spec.collect)
    place.demand(not unknown, f"{spec.collect} has no field {', '.join(sorted(unknown))!r}")
    _check_fields(place, spec.into, spec.fields)
    place.expressions({**spec.fields, "when": spec.when, "until": spec.until})
    line = spec.line
    place.expressions({"description": line.description, "unit_price": line.unit_price, "quantity": line.quantity})


def _check_unique(place: _Place, flow: FlowSpec) -> None:
    targets = [(rule.on, rule.write.role, rule.write.sink) for rule in flow.rules if rule.write]
    for on, role, _ in _repeated(targets):
        place.demand(False, f"{on} is written twice to {role}")
    steps = [step.key for rule in flow.rules for step in (rule.approve, rule.notify) if step]
    for key in _repeated([*steps, *(spec.key for spec in flow.aggregate)]):
        place.demand(False, f"two steps are called {key!r}")


def _repeated(names: Iterable[Any]) -> Iterator[Any]:
    seen: set[Any] = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def _check_fields(place: _Place, entity: str, fields: dict[str, str]) -> None:
    unknown = [name for name in fields if name not in _fields_of(entity) and not name.startswith("x_")]
    place.demand(not unknown, f"{entity} has no field {', '.join(sorted(unknown))!r}")


def _fields_of(entity: str) -> set[str]:
    return set(ENTITIES[entity].__struct_fields__)


def _end_of(entity: str, via: list[str]) -> str:
    for name in via:
        entity = REFERENCES.get(entity, {}).get(name, "")
    return entity
