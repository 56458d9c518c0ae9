"""The inventory: what is written down, who may, and what speaks against a wave plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.policies import STAFF_PERMISSIONS, StaffRole
from apps.audit.models import AuditEvent
from apps.core.errors import NotPermitted, NotVisible
from apps.modernization.models import LegacyInterface, MigrationWave
from apps.modernization.planning import check_plan
from apps.modernization.selectors import get_interface, get_wave, list_interfaces, list_waves, read_needs
from apps.modernization.services import (
    UnableToChangeInterface,
    UnableToRemoveWave,
    UnableToSaveInterface,
    UnableToSaveWave,
    WaveDraft,
    add_interface,
    add_point,
    add_wave,
    change_interface,
    change_wave,
    cut_over,
    draft_of,
    remove_interface,
    remove_point,
    remove_wave,
    tick_point,
)
from tests.modernization.conftest import make_estate

TODAY = date(2026, 11, 2)


def wave(estate, name, **fields):
    return add_wave(actor=estate.actor, now=estate.now, customer=estate.customer, draft=WaveDraft(name=name, **fields))


def notes(estate):
    interfaces = list(list_interfaces(estate.actor))
    return [note.text for note in check_plan(list(list_waves(estate.actor)), interfaces, read_needs(interfaces), TODAY)]


def test_an_interface_is_written_down_with_the_usual_points(estate):
    interface = estate.interface(monthly_count=900, owner=" Marta ")

    assert (interface.status, interface.owner, interface.environment) == ("in_use", "Marta", estate.environment)
    assert interface.points.count() == 3
    event = AuditEvent.objects.get(target_key=interface.subject_key)
    assert (event.action, event.after["integration"]) == ("legacy_interface.added", estate.integration.name)


@pytest.mark.parametrize(
    "field, value",
    [
        ("name", "  "),
        ("kind", "magic"),
        ("source", ""),
        ("entity", "gizmo"),
        ("monthly_count", -1),
        ("criticality", ""),
    ],
)
def test_what_cannot_be_kept_names_the_input(estate, field, value):
    with pytest.raises(UnableToSaveInterface) as refused:
        add_interface(
            actor=estate.actor,
            now=estate.now,
            customer=estate.customer,
            draft=replace(estate.draft(), **{field: value}),
        )

    assert (refused.value.field, LegacyInterface.objects.count()) == (field, 0)


def test_names_tell_interfaces_apart_whatever_their_case(estate):
    estate.interface("Nightly")

    with pytest.raises(UnableToSaveInterface) as refused:
        estate.interface("NIGHTLY")

    assert refused.value.field == "name"


def test_only_changes_are_told(estate):
    interface = estate.interface()

    change_interface(actor=estate.actor, now=estate.now, interface=interface, draft=draft_of(interface))
    change_interface(
        actor=estate.actor, now=estate.now, interface=interface, draft=replace(draft_of(interface), owner="Marta")
    )

    event = AuditEvent.objects.get(action="legacy_interface.changed")
    assert (event.before, event.after) == ({"owner": ""}, {"owner": "Marta"})


def test_nothing_depends_on_itself_by_any_way(estate):
    accounts = estate.interface("Accounts")
    invoices = estate.interface("Invoices", depends_on=(accounts,))
    payments = estate.interface("Payments", depends_on=(invoices,))

    with pytest.raises(UnableToSaveInterface, match="Payments depends on Accounts itself") as refused:
        change_interface(
            actor=estate.actor,
            now=estate.now,
            interface=accounts,
            draft=replace(draft_of(accounts), depends_on=(payments,)),
        )

    assert (refused.value.field, list(accounts.depends_on.all())) == ("depends_on", [])


def test_nothing_of_another_customer_is_taken(estate):
    other = make_estate(estate.actor, estate.now, "Northwind")
    foreign = wave(other, "Theirs")

    for field, value in (("integration", other.integration), ("wave", foreign), ("depends_on", (other.interface(),))):
        with pytest.raises(UnableToSaveInterface) as refused:
            estate.interface("Mine", **{field: value})
        assert refused.value.field == field


def test_who_sees_one_customer_finds_nothing_of_another(estate):
    other = make_estate(estate.actor, estate.now, "Northwind")
    theirs, foreign = other.interface(), wave(other, "Theirs")
    bound = replace(estate.actor, scope=frozenset({estate.customer.pk}))

    assert list(list_interfaces(bound)) == []
    with pytest.raises(NotVisible):
        get_interface(bound, theirs.pk)
    with pytest.raises(NotVisible):
        get_wave(bound, foreign.pk)
    with pytest.raises(NotVisible):
        remove_interface(actor=bound, now=estate.now, interface=theirs)
    with pytest.raises(NotVisible):
        tick_point(actor=bound, now=estate.now, point=theirs.points.first())


def test_what_a_colleague_has_just_removed_is_not_there(estate):
    interface, empty = estate.interface(), wave(estate, "Empty")
    point = interface.points.first()
    who = {"actor": estate.actor, "now": estate.now}
    remove_point(**who, point=point)
    remove_wave(**who, wave=MigrationWave.objects.get())

    with pytest.raises(NotVisible, match="point"):
        tick_point(**who, point=point)
    with pytest.raises(NotVisible, match="wave"):
        remove_wave(**who, wave=empty)
    remove_interface(**who, interface=LegacyInterface.objects.get())
    with pytest.raises(NotVisible, match="interface"):
        change_interface(**who, interface=interface, draft=estate.draft())


def test_who_may_only_read_changes_nothing(estate):
    interface = estate.interface()
    viewer = replace(estate.actor, permissions=STAFF_PERMISSIONS[StaffRole.VIEWER])

    assert get_interface(viewer, interface.pk) == interface
    for act in (
        lambda: add_interface(actor=viewer, now=estate.now, customer=estate.customer, draft=estate.draft("B")),
        lambda: change_interface(actor=viewer, now=estate.now, interface=interface, draft=estate.draft()),
        lambda: remove_interface(actor=viewer, now=estate.now, interface=interface),
        lambda: add_point(actor=viewer, now=estate.now, interface=interface, text="x"),
        lambda: cut_over(actor=viewer, now=estate.now, interface=interface),
        lambda: add_wave(actor=viewer, now=estate.now, customer=estate.customer, draft=WaveDraft(name="x")),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_points_are_added_ticked_and_removed(estate):
    interface = estate.interface()
    point = add_point(actor=estate.actor, now=estate.now, interface=interface, text=" Tell finance ")

    ticked = tick_point(actor=estate.actor, now=estate.now, point=point)
    assert (ticked.text, ticked.ticked_at, ticked.ticked_by_label) == ("Tell finance", estate.now, estate.actor.label)
    assert tick_point(actor=estate.actor, now=estate.now, point=point, is_done=False).ticked_at is None
    remove_point(actor=estate.actor, now=estate.now, point=point)
    assert interface.points.count() == 3
    with pytest.raises(UnableToSaveInterface):
        add_point(actor=estate.actor, now=estate.now, interface=interface, text=" ")


def test_a_wave_comes_last_and_goes_only_when_empty(estate):
    first, second = wave(estate, "Master data"), wave(estate, "Money")
    interface = estate.interface(wave=second)

    assert (first.position, second.position) == (1, 2)
    with pytest.raises(UnableToSaveWave):
        wave(estate, "MONEY")
    with pytest.raises(UnableToRemoveWave):
        remove_wave(actor=estate.actor, now=estate.now, wave=second)
    changed = change_wave(actor=estate.actor, now=estate.now, wave=second, draft=WaveDraft(name="Cash", goal="Paid"))
    assert (changed.position, changed.goal) == (2, "Paid")
    remove_interface(actor=estate.actor, now=estate.now, interface=interface)
    remove_wave(actor=estate.actor, now=estate.now, wave=second)
    assert list(MigrationWave.objects.all()) == [first]


def test_the_plan_is_told_what_speaks_against_it(estate):
    first = wave(estate, "First", cut_over_on=date(2026, 11, 20))
    second = wave(estate, "Second", starts_on=date(2026, 12, 2), cut_over_on=date(2026, 11, 1))
    accounts = estate.interface("Accounts", wave=second, criticality="critical")
    loose = estate.interface("Loose", integration=None)
    estate.interface("Invoices", wave=first, depends_on=(accounts, loose))
    estate.interface("Payments", wave=second, criticality="critical")

    assert notes(estate) == [
        "Invoices stands in First, but Accounts, which it depends on, comes later, in Second.",
        "Invoices stands in First, but Loose, which it depends on, stands in no wave.",
        "Second is to be cut over before it starts.",
        "Second comes after First, but is to be cut over earlier.",
        "The day of Second has passed. 2 interfaces of it are still to be cut over.",
        "Accounts and Payments are critical and cut over on the same day, 1 November 2026.",
        "Nothing replaces Loose yet.",
        "Loose stands in no wave.",
    ]


def test_what_many_lack_is_told_once(estate):
    for number in range(6):
        estate.interface(f"File {number}", integration=None)

    assert notes(estate) == [
        "Nothing replaces File 0, File 1, File 2, File 3 and 2 more yet.",
        "File 0, File 1, File 2, File 3 and 2 more stand in no wave.",
    ]


def test_what_is_gone_is_spoken_of_no_more(estate):
    interface = estate.interface(integration=None)
    LegacyInterface.objects.filter(pk=interface.pk).update(status="cut_over")

    assert notes(estate) == []
    with pytest.raises(UnableToChangeInterface):
        remove_interface(actor=estate.actor, now=estate.now, interface=interface)


def test_what_others_depend_on_is_not_removed_under_them(estate):
    base = estate.interface("Base")
    own = {"actor": estate.actor, "now": estate.now}
    upper = estate.interface("Upper", depends_on=(base,))

    with pytest.raises(UnableToChangeInterface, match="Upper depends on it"):
        remove_interface(**own, interface=base)
    remove_interface(**own, interface=upper)
    remove_interface(**own, interface=base)
    assert not LegacyInterface.objects.exists()


def test_the_plan_tells_what_stands_on_something_taken_back(estate):
    base = estate.interface("Base")
    upper = estate.interface("Upper", depends_on=(base,))
    LegacyInterface.objects.filter(pk=upper.pk).update(status="cut_over")
    before = notes(estate)
    LegacyInterface.objects.filter(pk=base.pk).update(rolled_back_at=estate.now)

    told = "Upper is cut over, but Base, which it depends on, was rolled back."
    assert (told in before, notes(estate)[0]) == (False, told)


def test_one_customer_is_changed_by_one_at_a_time(estate):
    """Two changes at once could make two interfaces depend on each other: neither sees the other's."""
    interface = estate.interface()

    with CaptureQueriesContext(connection) as seen:
        change_interface(actor=estate.actor, now=estate.now, interface=interface, draft=estate.draft(owner="Marta"))

    locks = [query["sql"] for query in seen if "FOR NO KEY UPDATE" in query["sql"] or "FOR UPDATE" in query["sql"]]
    assert ["customers_customer" in locks[0].split("WHERE")[0], "modernization_legacyinterface" in locks[1]] == [
        True,
        True,
    ]
