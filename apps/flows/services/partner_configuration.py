"""What the partner decided for all customers, as a text: exported, compared, and made what a text says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from apps.audit.services import record_audit
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.flows.sections import Data, Section, sections_for
from apps.flows.services.planning import Detail, Plan, PlanEntry, UnableToApply
from apps.flows.sources import Document, InvalidSource, as_source, read_document

KIND = "partner"
_ALL_CUSTOMERS = "This holds for all customers. Ask somebody who sees them all."


@dataclass
class SectionPlan(PlanEntry):
    """One part: change, or same."""

    section: Section
    wanted: Any


class PartnerPlan(Plan[SectionPlan]):
    """One entry for each part that the text names; what it does not name is left alone."""


def export_partner(actor: Actor) -> str:
    """Every part that the actor may read, as YAML; what is as shipped is not in it."""
    _demand(actor)
    parts = {section.key: msgspec.to_builtins(section.describe()) for section in sections_for(actor)}
    return as_source({"kind": KIND, **parts})


def plan_partner(*, actor: Actor, now: datetime, text: str) -> PartnerPlan:
    """This function will say what applying the text would do; nothing is kept. Raises UnableToApply, NotPermitted.

    Each change is carried out and taken back, so that what would refuse it refuses it here.
    """
    _demand(actor)
    plan = PartnerPlan(list(_entries(actor, text)))
    for entry in plan.changes:
        try:
            with transaction.atomic():
                entry.section.carry_out(actor, now, entry.wanted)
                transaction.set_rollback(True)
        except AnticipatedError as error:
            entry.problems.append(error.user_message)
    return plan


@transaction.atomic
def apply_partner(*, actor: Actor, now: datetime, text: str) -> PartnerPlan:
    """This function will make every part that the text names what it says, all of it or nothing; returns the plan.

    Changed mappings are in force once they are published into the integrations. Raises UnableToApply, NotPermitted.
    """
    _demand(actor)
    plan = PartnerPlan(list(_entries(actor, text)))
    for entry in plan.changes:
        try:
            entry.section.carry_out(actor, now, entry.wanted)
        except AnticipatedError as error:
            raise UnableToApply(f"{entry.name}: {error.user_message}", field="source") from error
    if plan.changes:
        record_audit(
            actor=actor, action="configuration.applied_for_all", target_key="configuration:partner",
            target_label="Configuration", owner_key="", before={}, now=now,
            after={"changes": [f"{entry.name}: {detail.name}" for entry in plan.changes for detail in entry.details]},
        )  # fmt: skip
    return plan


def _demand(actor: Actor) -> None:
    actor.require("templates.manage")
    actor.require_sight_of_all(_ALL_CUSTOMERS)


def _entries(actor: Actor, text: str) -> Iterator[SectionPlan]:
    try:
        document = read_document(text)
        if document.data.get("kind") != KIND:
            raise InvalidSource("This is no configuration of a partner: `kind` is not `partner`.", line=1, place="kind")
        known = {section.key: section for section in sections_for(actor)}
        unknown = [key for key in document.data if key not in {"kind", *known}]
        if unknown:
            raise InvalidSource(
                f"There is no such part, or it is not yours to change. There are {', '.join(sorted(known))}.",
                line=document.line_of(f".{unknown[0]}"), place=str(unknown[0]),
            )  # fmt: skip
        for key, section in known.items():
            if key in document.data:
                yield _entry(document, section)
    except InvalidSource as error:
        raise UnableToApply(str(error), field="source") from error


def _entry(document: Document, section: Section) -> SectionPlan:
    wanted = section.normal(document.read_as(section.shape, section.key))
    before, after = (dict(_flat(msgspec.to_builtins(data))) for data in (section.describe(), wanted))
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    details = [Detail(name, before.get(name, ""), after.get(name, "")) for name in names]
    return SectionPlan("change" if details else "same", section.label, section, wanted, details=details)


def _flat(data: Data, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in sorted(data.items()):
        where = f"{prefix} › {name}" if prefix else str(name)
        if isinstance(value, dict) and value:
            yield from _flat(value, where)
        else:
            yield where, _told(value)


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value == {} else str(value) or "left out"
