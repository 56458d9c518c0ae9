"""The shape of a template file and of the flow definitions inside it.

A flow reads streams into the canonical model, lets rules derive and change canonical records, and writes canonical
records to systems. Rules are worked off for every canonical change until nothing changes any more:

    {on: opportunity, when: "record.stage == 'won'", derive: project, as: provisioned, fields: {…}, refs: {…}}
    {on: invoice, via: [project, opportunity], update: opportunity, gather: "…", fields: {…}}
    {on: project, write: {role: erp, ensure: [account]}}
    {on: invoice, write: {role: billing}, approve: {key: release, question: "…", show: [total]}}
    {on: opportunity, when: "…", call: {service: provision_project, inputs: {…}}}
    {on: invoice, when: "…", notify: {key: overdue, to: [finance], subject: "…", text: "…"}}

Expressions see `record` (all canonical fields, missing ones null), `refs` (ids of linked records, or null), `settings`
(with the customer's `currency`) and `today` (the day at the customer's). With `gather`, `record` is the summary of all
records that lead to the same target: `count`, `latest` and `sum` (money fields added up). The whole language:
docs/guides/flow-language.md.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

from apps.flows.checks import check_flow, unreadable
from apps.flows.triggers import in_words as starts_in_words
from apps.flows.triggers import nominal_seconds
from apps.flows.upgrades import upgraded_flow, upgraded_template
from apps.flows.words import (
    ASK,
    CONFLICT_POLICIES,
    DELETE_POLICIES,
    DELETION,
    FILL_IF_EMPTY,
    IGNORE,
    LATEST_WINS,
    MARK,
    PROPAGATE,
    SYSTEM_OF_RECORD,
    InvalidDefinition,
)

__all__ = [
    "ASK", "CONFLICT_POLICIES", "DELETE_POLICIES", "DELETION", "FILL_IF_EMPTY", "IGNORE", "LATEST_WINS", "MARK",
    "PROPAGATE", "SETTING_TYPES", "SYSTEM_OF_RECORD", "AggregateSpec", "ApproveSpec", "CallSpec", "ConflictSpec", "Direction", "FlowSpec",
    "InvalidDefinition", "LineSpec", "MappingSpec", "NotifySpec", "Part", "ReadSpec", "RoleSpec", "RuleSpec",
    "SettingSpec", "TemplateSpec", "TriggerSpec", "WriteSpec", "parse_flow", "parse_template", "parse_triggers",
]  # fmt: skip

Direction = Literal["read", "write"]
SettingType = Literal["text", "integer", "choice", "boolean", "money"]
SETTING_TYPES = get_args(SettingType)


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
    type: SettingType = "text"
    default: Any = None
    choices: list[str] = []
    required: bool = False


class ReadSpec(Part, frozen=True):
    """Which stream to read: named, or the connector's first stream of an entity. `fields` overrides its mapping.

    `filter` (CEL on the mapped record) keeps out what was never taken over; what is known stays in step.
    `optional`: left out where the connector has no such stream.
    """

    role: str
    entity: str = ""
    stream: str = ""
    fields: dict[str, str] = {}
    filter: str = ""
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


class TriggerSpec(Part, frozen=True):
    """What starts a run, exactly one of these. Only what is listed does.

    every: seconds between runs. cron: five fields, in the customer's time zone. webhook: a role whose vendor tells of
    changes. event: a fact of the customer's records. manual, api: a person, a program.
    """

    every: int = 0
    cron: str = ""
    webhook: str = ""
    event: str = ""
    manual: bool = False
    api: bool = False


class ConflictSpec(Part, frozen=True):
    """What happens when an edit in one system meets another value, for one field.

    latest_wins: the later edit, by the systems' own clocks. fill_if_empty: the first value stands. ask: a person decides,
    other fields go on. system_of_record: only edits in the system that plays `role` count; others are set right.
    """

    policy: str = "latest_wins"
    role: str = ""


class CallSpec(Part, frozen=True):
    """A business service (`sync.services.business`) with its inputs as expressions; null leaves an input out."""

    service: str
    inputs: dict[str, str] = {}


class ApproveSpec(Part, frozen=True):
    """A person releases the record before it is written. `key` names the step within its flow.

    `show` are the fields that the person sees and releases: when one of them changes, the question is asked again.
    `by`: the partner's people (`partner`), or the customer's in their portal (`customer`).
    """

    key: str
    question: str
    show: list[str]
    by: Literal["partner", "customer"] = "partner"


class NotifySpec(Part, frozen=True):
    """A notice to everybody in these roles, in the portal and by mail; one for each version of a record.

    `subject` and `text` are expressions that give text. `once`: one notice per record, however often it changes.
    """

    key: str
    to: list[str]
    subject: str
    text: str
    mail: bool = True
    once: bool = False


class RuleSpec(Part, frozen=True, rename={"alias": "as"}):
    """What follows from a change: exactly one of derive, update, write, call, notify; `approve` goes with a write.

    `per` makes one derived record for each combination of these (references, fields or `self`) instead of one for each
    record.
    """

    on: str
    when: str = ""
    derive: str = ""
    alias: str = ""
    per: list[str] = []
    update: str = ""
    via: list[str] = []
    gather: str = ""
    fields: dict[str, str] = {}
    refs: dict[str, str] = {}
    write: WriteSpec | None = None
    approve: ApproveSpec | None = None
    call: CallSpec | None = None
    notify: NotifySpec | None = None


class LineSpec(Part, frozen=True):
    """A line of the document. Records alike in `description` and `unit_price` share one.

    Both see `record` and what it refers to (`linked.task.name`). `quantity` sees `total`: `count`, and every number and
    every amount of the line's records added up. The amount is quantity × unit price, rounded half up once.
    """

    description: str
    unit_price: str
    quantity: str = "text(total.count)"


class AggregateSpec(Part, frozen=True):
    """Records that are on no document yet become documents, one for each record that `group_by` leads to.

    `match` are values that their fields have, `when` an expression on top of it, `until` the day (an expression, null:
    none) from which on they wait. `mark` is their reference to the document: it keeps them from a second one.
    `fields` and `refs` are the document's own: `record` is the group there, `refs` name the group's references or
    `self`. Lines and totals are computed.
    """

    key: str
    line: LineSpec
    collect: str = "time_entry"
    into: str = "invoice"
    group_by: str = "project"
    mark: str = "invoice"
    match: dict[str, Any] = {}
    when: str = ""
    until: str = ""
    fields: dict[str, str] = {}
    refs: dict[str, str] = {}
    label: str = ""  # what is collected, as the run tells it


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
    triggers: list[TriggerSpec] = []
    reads: list[ReadSpec] = []
    rules: list[RuleSpec] = []
    aggregate: list[AggregateSpec] = []
    mappings: list[MappingSpec] = []
    # {entity: {field, or * for the others: policy}}; an entity without an entry takes every edit as it is read
    conflicts: dict[str, dict[str, ConflictSpec]] = {}
    # {entity: what a deletion in one system means for the others}; without an entry: mark
    deletes: dict[str, str] = {}

    @property
    def schedule_seconds(self) -> int:
        """The time between two runs on schedule, at most; 0 when there is no schedule."""
        return nominal_seconds(self.triggers)

    @property
    def starts(self) -> str:
        """What starts it, in words."""
        return starts_in_words(self.triggers)

    @property
    def webhook_role(self) -> str:
        """The role whose changes drive the flow, when a vendor tells of them."""
        return next((trigger.webhook for trigger in self.triggers if trigger.webhook), "")


class TemplateSpec(Part, frozen=True, kw_only=True):
    key: str
    version: str
    name: str
    summary: str
    documentation: str
    roles: dict[str, RoleSpec]
    settings: list[SettingSpec] = []
    flows: list[FlowSpec]


def parse_template(data: dict[str, Any], *, file: str = "") -> TemplateSpec:
    """This function will check a template file as far as that is possible without its connections.

    Raises InvalidDefinition, which names the file, the flow, the rule by its position and the reason.
    """
    place = file or str(data.get("key", "template"))
    data = upgraded_template(data)
    try:
        template = msgspec.convert(data, TemplateSpec)
    except msgspec.ValidationError as error:
        raise unreadable(str(error), data, place) from error
    for index, flow in enumerate(template.flows):
        check_flow(flow, set(template.roles), place, index)
    return template


def parse_triggers(data: dict[str, Any]) -> list[TriggerSpec]:
    """Only what starts a stored flow."""
    return msgspec.convert(upgraded_flow(data)["triggers"], list[TriggerSpec])


def parse_flow(data: dict[str, Any]) -> FlowSpec:
    """A flow definition as it is stored; older forms are read as what they meant. Raises InvalidDefinition."""
    try:
        return msgspec.convert(upgraded_flow(data), FlowSpec)
    except msgspec.ValidationError as error:
        raise InvalidDefinition(str(error)) from error
