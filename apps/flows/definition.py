"""The shape of a template file and of the flow definitions inside it.

A flow reads streams into the canonical model, lets rules derive and change canonical records, and writes canonical
records to systems. Rules are worked off for every canonical change until nothing changes any more:

    {on: opportunity, when: "record.stage == 'won'", derive: project, as: provisioned, fields: {…}, refs: {…}}
    {on: invoice, via: [project, opportunity], update: opportunity, gather: "…", fields: {…}}
    {on: project, write: {role: erp, ensure: [account]}}

Expressions see `record` (all canonical fields, missing ones null), `refs` (ids of linked records, or null) and
`settings`. With `gather`, `record` is the summary of all records that lead to the same target: `count`, `latest`
and `sum` (money fields added up).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from apps.connectors.sdk.entities import ENTITIES, REFERENCES
from apps.core import expressions

Direction = Literal["read", "write"]
LATEST_WINS, FILL_IF_EMPTY, ASK, SYSTEM_OF_RECORD = "latest_wins", "fill_if_empty", "ask", "system_of_record"
CONFLICT_POLICIES = {
    LATEST_WINS: "The later edit wins",
    FILL_IF_EMPTY: "The first value stands",
    ASK: "Ask a person",
    SYSTEM_OF_RECORD: "One system is right",
}

IGNORE, MARK, PROPAGATE = "ignore", "mark", "propagate"
DELETE_POLICIES = {
    IGNORE: "Nothing; it stays where it is",
    MARK: "It is noted in the history",
    PROPAGATE: "It is deleted in the other systems, too",
}
DELETION = "@deleted"  # stands for a field where an integration has its own policy


class InvalidDefinition(ValueError):
    """The file cannot be a template; the message names the place."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything in a definition: a misspelled key is an error, not a silently ignored wish."""


class RoleSpec(Part, frozen=True):
    domain: str
    label: str
    help: str = ""


class SettingSpec(Part, frozen=True):
    key: str
    label: str
    help: str = ""
    type: str = "text"  # text | integer | choice | boolean | money
    default: Any = None
    choices: list[str] = []


class ReadSpec(Part, frozen=True):
    """Which stream to read: named, or the connector's first stream of an entity. `fields` overrides its mapping.

    `optional`: left out where the connector has no such stream.
    """

    role: str
    entity: str = ""
    stream: str = ""
    fields: dict[str, str] = {}
    optional: bool = False


class WriteSpec(Part, frozen=True):
    """Where a record goes. `ensure`: references written there first when missing. `fields`: all that updates touch.

    `adopt`: fields in which the target is the authority (an invoice's number and totals), taken over on confirmation.
    `optional`: left out where the connector has no such sink.
    """

    role: str
    entity: str = ""
    sink: str = ""
    ensure: list[str] = []
    fields: list[str] = []
    adopt: list[str] = []
    create: bool = True
    update: bool = True
    optional: bool = False


class ConflictSpec(Part, frozen=True):
    """What happens when an edit in one system meets another value, for one field.

    latest_wins: the later edit, by the systems' own clocks. fill_if_empty: the first value stands. ask: a person decides,
    other fields go on. system_of_record: only edits in the system that plays `role` count; others are set right.
    """

    policy: str = "latest_wins"
    role: str = ""


class RuleSpec(Part, frozen=True, rename={"alias": "as"}):
    on: str
    when: str = ""
    derive: str = ""
    alias: str = ""
    update: str = ""
    via: list[str] = []
    gather: str = ""
    fields: dict[str, str] = {}
    refs: dict[str, str] = {}
    write: WriteSpec | None = None


class AggregateSpec(Part, frozen=True):
    """Approved, billable time that is on no invoice yet becomes invoices, one per `group_by` record."""

    key: str
    collect: str = "time_entry"
    into: str = "invoice"
    group_by: str = "project"


class MappingSpec(Part, frozen=True):
    """One object's mapping as far as it differs from its connector's own: in force wherever a flow meets the object.

    `fields` are {canonical field: CEL} of what is read, {vendor's field: CEL} of what is written; "" leaves a field out.
    `origins` says which layer each field comes from. What is read is read again from the start after `changed_at`.
    """

    role: str
    direction: Direction
    object_name: str
    fields: dict[str, str] = {}
    origins: dict[str, str] = {}
    changed_at: str = ""


class FlowSpec(Part, frozen=True):
    key: str
    name: str
    description: str
    schedule_seconds: int = 300
    webhook_role: str = ""
    reads: list[ReadSpec] = []
    rules: list[RuleSpec] = []
    aggregate: list[AggregateSpec] = []
    mappings: list[MappingSpec] = []
    # {entity: {field, or * for the others: policy}}; an entity without an entry takes every edit as it is read
    conflicts: dict[str, dict[str, ConflictSpec]] = {}
    # {entity: what a deletion in one system means for the others}; without an entry: mark
    deletes: dict[str, str] = {}


class TemplateSpec(Part, frozen=True, kw_only=True):
    key: str
    version: str
    name: str
    summary: str
    documentation: str
    roles: dict[str, RoleSpec]
    settings: list[SettingSpec] = []
    flows: list[FlowSpec]


def parse_template(data: dict[str, Any]) -> TemplateSpec:
    """This function will check a template file as far as that is possible without its connections.

    Raises InvalidDefinition.
    """
    try:
        template = msgspec.convert(data, TemplateSpec)
    except msgspec.ValidationError as error:
        raise InvalidDefinition(str(error)) from error
    for flow in template.flows:
        _check_flow(flow, set(template.roles))
    return template


def parse_flow(data: dict[str, Any]) -> FlowSpec:
    return msgspec.convert(data, FlowSpec)


def _check_flow(flow: FlowSpec, roles: set[str]) -> None:
    targets: set[tuple[str, str, str]] = set()
    for read in flow.reads:
        _demand(read.role in roles, flow, f"unknown role {read.role!r}")
        _demand(bool(read.stream) != bool(read.entity), flow, "a read names either its stream or its entity")
        _check_expressions(flow, read.fields)
    for mapping in flow.mappings:
        _demand(mapping.role in roles, flow, f"unknown role {mapping.role!r}")
        _check_expressions(flow, {name: source for name, source in mapping.fields.items() if source})
    for entity, fields in flow.conflicts.items():
        for name, spec in fields.items():
            _check_conflict(flow, entity, name, spec, roles)
    for entity, policy in flow.deletes.items():
        _demand(entity in ENTITIES, flow, f"unknown entity {entity!r}")
        _demand(policy in DELETE_POLICIES, flow, f"unknown policy {policy!r}")
    for rule in flow.rules:
        _check_rule(flow, rule)
        if rule.write:
            _demand(rule.write.role in roles, flow, f"unknown role {rule.write.role!r}")
            target = (rule.on, rule.write.role, rule.write.sink)
            _demand(target not in targets, flow, f"{rule.on} is written twice to {rule.write.role}")
            targets.add(target)


def _check_rule(flow: FlowSpec, rule: RuleSpec) -> None:
    _demand(rule.on in ENTITIES, flow, f"unknown entity {rule.on!r}")
    actions = [bool(rule.derive), bool(rule.update), rule.write is not None]
    _demand(sum(actions) == 1, flow, "a rule does exactly one of derive, update, write")
    if rule.derive:
        _demand(rule.derive in ENTITIES, flow, f"unknown entity {rule.derive!r}")
        _demand(bool(rule.alias), flow, "a derived record needs a name (as)")
        _demand(set(rule.refs) <= set(REFERENCES[rule.derive]), flow, f"{rule.derive} has no such reference")
    if rule.update:
        _demand(_end_of(rule.on, rule.via) == rule.update, flow, f"via does not lead from {rule.on} to {rule.update}")
    _check_expressions(flow, {**rule.fields, **({"when": rule.when} if rule.when else {})})
    _check_expressions(flow, {"gather": rule.gather} if rule.gather else {})


def _check_conflict(flow: FlowSpec, entity: str, name: str, spec: ConflictSpec, roles: set[str]) -> None:
    _demand(entity in ENTITIES, flow, f"unknown entity {entity!r}")
    _demand(name == "*" or name in ENTITIES[entity].__struct_fields__, flow, f"{entity} has no field {name!r}")
    _demand(spec.policy in CONFLICT_POLICIES, flow, f"unknown policy {spec.policy!r}")
    _demand((spec.policy == SYSTEM_OF_RECORD) == bool(spec.role), flow, "system_of_record names a role, others do not")
    _demand(not spec.role or spec.role in roles, flow, f"unknown role {spec.role!r}")


def _end_of(entity: str, via: list[str]) -> str:
    for name in via:
        entity = REFERENCES.get(entity, {}).get(name, "")
    return entity


def _check_expressions(flow: FlowSpec, fields: dict[str, str]) -> None:
    try:
        expressions.compile(fields)
    except expressions.ExpressionError as error:
        raise InvalidDefinition(f"{flow.key}: {error}") from error


def _demand(condition: bool, flow: FlowSpec, message: str) -> None:
    if not condition:
        raise InvalidDefinition(f"{flow.key}: {message}")
