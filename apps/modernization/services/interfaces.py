"""The inventory: interfaces written down, changed and removed, and the points of their checklists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.audit.services import record_change
from apps.canonical.models import Entity
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, Conflict
from apps.core.visible import get_visible
from apps.customers.models import Customer
from apps.customers.selectors import get_environment
from apps.flows.models import Integration
from apps.modernization.models import (
    ChecklistPoint,
    Criticality,
    Documentation,
    InterfaceKind,
    InterfaceStatus,
    LegacyInterface,
    MigrationWave,
)
from apps.modernization.models.comparisons import ACTIVE
from apps.modernization.services.meanwhile import demand_unchanged

MOST_INTERFACES = 500
MOST_POINTS = 30
MISSING = "There is no such interface."
USUAL_POINTS = (
    "The people who work with the data know the day",
    "The old interface is switched off, and kept for the way back",
    "The first run after the cut-over is looked at",
)


class UnableToSaveInterface(AnticipatedError):
    """The interface cannot be kept as it is written; `field` names the input."""


class UnableToChangeInterface(Conflict):
    """Its state does not allow this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceDraft:
    """What a person writes down; see `LegacyInterface`."""

    name: str
    kind: str
    source: str
    target: str
    entity: str = ""
    frequency: str = ""
    monthly_count: int | None = None
    owner: str = ""
    criticality: str = Criticality.NORMAL
    documentation: str = Documentation.NONE
    notes: str = ""
    way_back: str = ""
    wave: MigrationWave | None = None
    integration: Integration | None = None
    depends_on: tuple[LegacyInterface, ...] = ()

    def values(self) -> dict[str, Any]:
        """All but what it depends on, texts without blanks around them."""
        found = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "depends_on"}
        return {name: value.strip() if isinstance(value, str) else value for name, value in found.items()}


def draft_of(interface: LegacyInterface) -> InterfaceDraft:
    own = {one.name: getattr(interface, one.name) for one in fields(InterfaceDraft) if one.name != "depends_on"}
    return InterfaceDraft(**own, depends_on=tuple(interface.depends_on.all()))


@transaction.atomic
def add_interface(*, actor: Actor, now: datetime, customer: Customer, draft: InterfaceDraft) -> LegacyInterface:
    """This function will add an interface in use, with the usual points. Raises UnableToSaveInterface."""
    actor.require("integrations.manage")
    actor.require_sight(customer.pk, "There is no such customer.")
    lock_estate(customer.pk)
    if LegacyInterface.objects.filter(customer=customer).count() >= MOST_INTERFACES:
        raise UnableToSaveInterface(f"There are {MOST_INTERFACES} interfaces already. Remove what was retired.")
    interface = LegacyInterface(customer=customer, environment=get_environment(customer), created_at=now)
    _write(interface, draft, needed=())
    ChecklistPoint.objects.bulk_create([ChecklistPoint(interface=interface, text=text) for text in USUAL_POINTS])
    record_change(actor=actor, now=now, target=interface, action="legacy_interface.added", after=told(draft))
    return interface


@transaction.atomic
def change_interface(
    *, actor: Actor, now: datetime, interface: LegacyInterface, draft: InterfaceDraft, seen: str = ""
) -> LegacyInterface:
    """This function will change what is written down; its state stays.

    `seen` is the `stamp_of` what was shown: what somebody changed since is not overwritten. Raises ChangedMeanwhile,
    UnableToSaveInterface.
    """
    locked = lock_interface(actor, interface)
    known = draft_of(locked)
    demand_unchanged(known, seen)
    if locked.is_gone and draft.integration != locked.integration:
        raise UnableToSaveInterface(
            "It is cut over: what replaces it stays. Roll it back to choose another.", field="integration"
        )
    _write(locked, draft, needed=known.depends_on)
    before, after = told(known), told(draft)
    changed = {name for name in after if after[name] != before[name]}
    if changed:
        record_change(
            actor=actor, now=now, target=locked, action="legacy_interface.changed",
            before={name: before[name] for name in changed}, after={name: after[name] for name in changed},
        )  # fmt: skip
    return locked


@transaction.atomic
def amend_interface(
    *, actor: Actor, now: datetime, interface: LegacyInterface, said: Mapping[str, Any]
) -> LegacyInterface:
    """This function will change the named parts of a draft; all others stay as they stand by then, whoever wrote them.

    Raises UnableToSaveInterface.
    """
    draft = replace(draft_of(lock_interface(actor, interface)), **said)
    return change_interface(actor=actor, now=now, interface=interface, draft=draft)


@transaction.atomic
def remove_interface(*, actor: Actor, now: datetime, interface: LegacyInterface) -> None:
    """This function will forget the interface with its comparisons. Raises UnableToChangeInterface."""
    locked = lock_interface(actor, interface)
    if locked.status == InterfaceStatus.CUT_OVER:
        raise UnableToChangeInterface("It is cut over: roll it back or retire it first.")
    waiting = None if locked.is_gone else locked.needed_by.order_by("name").first()
    if waiting is not None:
        raise UnableToChangeInterface(f"{waiting} depends on it. Change that first, or its checklist would forget it.")
    if locked.parallel_runs.filter(status__in=ACTIVE).exists():
        raise UnableToChangeInterface("A comparison is under way. Stop it first.")
    record_change(actor=actor, now=now, target=locked, action="legacy_interface.removed", before=told(draft_of(locked)))
    locked.delete()


def lock_estate(customer_id: UUID) -> None:
    """In the caller's transaction: one change of a customer's estate at a time, locked before any part of it is.

    Most of what must hold is about several rows: no circles, limits, a replacement that others share. Rows that refer to
    the customer can be written meanwhile.
    """
    Customer.objects.select_for_update(no_key=True).filter(pk=customer_id).first()


def lock_interface(actor: Actor, interface: LegacyInterface) -> LegacyInterface:
    """In the caller's transaction, with the estate. Raises NotPermitted, NotVisible."""
    actor.require("integrations.manage")
    actor.require_sight(interface.customer_id, MISSING)
    lock_estate(interface.customer_id)
    rows = LegacyInterface.objects.select_for_update(of=("self",))
    return get_visible(rows.select_related("customer", "wave", "integration__environment"), interface.pk, MISSING)


def told(draft: InterfaceDraft) -> dict[str, Any]:
    """For the trail: names instead of rows."""
    values = draft.values()
    links = {name: str(values[name]) if values[name] else "" for name in ("wave", "integration")}
    return {**values, **links, "depends_on": sorted({str(other) for other in draft.depends_on})}


def _write(interface: LegacyInterface, draft: InterfaceDraft, *, needed: Iterable[LegacyInterface]) -> None:
    """`needed`: what it depends on so far."""
    check_draft(interface.customer, draft)
    _demand_there(draft)
    for name, value in draft.values().items():
        setattr(interface, name, value)
    try:
        with transaction.atomic():
            interface.save()
    except IntegrityError:
        raise UnableToSaveInterface("There is an interface of this name already.", field="name") from None
    if set(draft.depends_on) != set(needed):
        _demand_no_circle(interface, draft.depends_on)
        interface.depends_on.set(draft.depends_on)


def check_draft(customer: Customer, draft: InterfaceDraft) -> None:
    """Raises UnableToSaveInterface: with the input that is wrong."""
    for name in ("name", "source", "target"):
        text = getattr(draft, name).strip()
        if not text or len(text) > 120:
            raise UnableToSaveInterface("Give one to 120 characters.", field=name)
    choices: Sequence[tuple[str, Iterable[str]]] = (
        ("kind", InterfaceKind.values), ("criticality", Criticality.values), ("documentation", Documentation.values),
        ("entity", ["", *Entity.values]),
    )  # fmt: skip
    for name, known in choices:
        if getattr(draft, name) not in known:
            raise UnableToSaveInterface(f"Use one of {', '.join(filter(None, known))}.", field=name)
    if draft.monthly_count is not None and not 0 <= draft.monthly_count <= 2_000_000_000:
        raise UnableToSaveInterface("Give a whole number, 0 or more.", field="monthly_count")
    for name, longest in (("frequency", 120), ("owner", 120), ("notes", 4000), ("way_back", 2000)):
        if len(getattr(draft, name)) > longest:
            raise UnableToSaveInterface(f"Take at most {longest:,} characters.", field=name)
    linked = [("wave", draft.wave), ("integration", draft.integration), *(("depends_on", o) for o in draft.depends_on)]
    for name, row in linked:
        if row is not None and row.customer_id != customer.pk:
            raise UnableToSaveInterface("Choose one of the same customer.", field=name)


def _demand_there(draft: InterfaceDraft) -> None:
    """Raises UnableToSaveInterface when somebody removed since what it is linked with."""
    if draft.wave is not None and not MigrationWave.objects.filter(pk=draft.wave.pk).exists():
        raise UnableToSaveInterface("The wave was removed meanwhile. Choose another.", field="wave")
    needed = {other.pk for other in draft.depends_on}
    if needed and LegacyInterface.objects.filter(pk__in=needed).count() != len(needed):
        raise UnableToSaveInterface("One of these was removed meanwhile. Choose again.", field="depends_on")


def _demand_no_circle(interface: LegacyInterface, wanted: Iterable[LegacyInterface]) -> None:
    """Raises UnableToSaveInterface when what it depends on depends on it."""
    through = LegacyInterface.depends_on.through
    own = through.objects.filter(from_legacyinterface__customer=interface.customer)
    needs: dict[UUID, list[UUID]] = {}
    for one, needed in own.values_list("from_legacyinterface_id", "to_legacyinterface_id"):
        needs.setdefault(one, []).append(needed)
    for other in wanted:
        left, seen = [other.pk], set[UUID]()
        while left:
            pk = left.pop()
            if pk == interface.pk:
                raise UnableToSaveInterface(f"{other} depends on {interface} itself.", field="depends_on")
            if pk not in seen:
                seen.add(pk)
                left += needs.get(pk, [])


@transaction.atomic
def add_point(*, actor: Actor, now: datetime, interface: LegacyInterface, text: str) -> ChecklistPoint:
    """This function will add a point of the partner's own. Raises UnableToSaveInterface, UnableToChangeInterface."""
    locked = _open_for_points(actor, interface)
    text = text.strip()
    if not 1 <= len(text) <= 200:
        raise UnableToSaveInterface("Say in at most 200 characters what is to be done.", field="text")
    if locked.points.count() >= MOST_POINTS:
        raise UnableToSaveInterface(f"A checklist has at most {MOST_POINTS} points.", field="text")
    point = ChecklistPoint.objects.create(interface=locked, text=text)
    record_change(
        actor=actor, now=now, target=locked, action="legacy_interface.point_added", after={"text": point.text}
    )
    return point


@transaction.atomic
def tick_point(*, actor: Actor, now: datetime, point: ChecklistPoint, is_done: bool = True) -> ChecklistPoint:
    """This function will note that it is done, and by whom; or that it is not. Raises UnableToChangeInterface."""
    locked = _open_for_points(actor, point.interface)
    fresh = get_visible(ChecklistPoint.objects.all(), point.pk, "There is no such point.")
    if (fresh.ticked_at is not None) == is_done:
        return fresh
    fresh.ticked_at = now if is_done else None
    fresh.ticked_by_label = actor.label if is_done else ""
    fresh.save(update_fields=["ticked_at", "ticked_by_label"])
    action = "legacy_interface.point_ticked" if is_done else "legacy_interface.point_unticked"
    record_change(actor=actor, now=now, target=locked, action=action, after={"text": fresh.text})
    return fresh


@transaction.atomic
def remove_point(*, actor: Actor, now: datetime, point: ChecklistPoint) -> None:
    """This function will take the point from the checklist. Raises UnableToChangeInterface."""
    locked = _open_for_points(actor, point.interface)
    record_change(
        actor=actor, now=now, target=locked, action="legacy_interface.point_removed", before={"text": point.text}
    )
    ChecklistPoint.objects.filter(pk=point.pk).delete()


def _open_for_points(actor: Actor, interface: LegacyInterface) -> LegacyInterface:
    locked = lock_interface(actor, interface)
    if locked.status == InterfaceStatus.RETIRED:
        raise UnableToChangeInterface("It is retired: its checklist stays as it was.")
    return locked
