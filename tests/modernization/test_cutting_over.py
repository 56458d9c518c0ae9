"""The checklist decides over a cut-over; the way back is always open; the old interface goes after quiet days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from apps.accounts.policies import STAFF_PERMISSIONS, StaffRole
from apps.audit.models import AuditEvent
from apps.core.errors import NotPermitted
from apps.flows.models import IntegrationStatus
from apps.modernization.models import LegacyInterface
from apps.modernization.readiness import checks_of, unmet
from apps.modernization.services import (
    NotReady,
    UnableToChangeInterface,
    UnableToSaveInterface,
    add_point,
    change_interface,
    cut_over,
    draft_of,
    retire_interface,
    roll_back,
    tick_point,
)
from apps.sync.models import ErrorClass, RecordFailure


def made_ready(estate, name="Nightly invoice file", **fields):
    interface = estate.interface(name, way_back="Start the old job again.", **fields)
    estate.invoice(f"{name}-1", 1000)
    estate.compare(
        interface, f"No,Amount\n{name}-1,10.00\n", keys=["number"], columns={"No": "number", "Amount": "total"}
    )
    for point in interface.points.all():
        tick_point(actor=estate.actor, now=estate.now, point=point)
    return LegacyInterface.objects.get(pk=interface.pk)


def open_keys(estate, interface, *, after=timedelta(0)):
    return [check.key for check in unmet(checks_of(interface, estate.now + after))]


def fail(estate):
    RecordFailure.objects.create(
        customer=estate.customer, environment=estate.environment, flow=estate.flow, connection=estate.billing,
        run_id=estate.flow.pk, direction="write", object_name="invoices", error_class=ErrorClass.VALIDATION, message="No",
        fingerprint="f", first_at=estate.now, last_at=estate.now,
    )  # fmt: skip


def step(estate, act, interface, *, after=timedelta(0), **given):
    return act(actor=estate.actor, now=estate.now + after, interface=interface, **given)


def test_a_new_interface_has_everything_open(estate):
    interface = estate.interface(integration=None)

    checks = checks_of(interface, estate.now)

    assert [check.key for check in unmet(checks)][:5] == ["replacement", "compared", "agreed", "errors", "way_back"]
    assert len(unmet(checks)) == 8
    with pytest.raises(NotReady, match="A way back is written down"):
        step(estate, cut_over, interface)


def test_it_is_cut_over_when_all_points_hold(estate):
    interface = made_ready(estate)
    assert open_keys(estate, interface) == []

    done = step(estate, cut_over, interface)

    assert (done.status, done.cut_over_at, done.cut_over_by_label) == ("cut_over", estate.now, estate.actor.label)
    event = AuditEvent.objects.get(action="legacy_interface.cut_over")
    assert (event.before, event.after["open_points"]) == ({"status": "parallel"}, [])
    with pytest.raises(UnableToChangeInterface):
        step(estate, cut_over, interface)


def test_each_check_sees_what_it_is_about(estate):
    interface = made_ready(estate)
    fail(estate)
    assert open_keys(estate, interface) == ["errors"]
    RecordFailure.objects.all().delete()
    assert open_keys(estate, interface, after=timedelta(days=8)) == ["compared"]
    needed = estate.interface("Accounts")
    interface.depends_on.add(needed)
    assert open_keys(estate, interface) == ["dependencies"]
    interface.depends_on.clear()
    estate.integration.status = IntegrationStatus.PAUSED
    estate.integration.save()
    assert open_keys(estate, LegacyInterface.objects.get(pk=interface.pk)) == ["replacement"]
    point = add_point(actor=estate.actor, now=estate.now, interface=interface, text="Ask the auditor")
    assert open_keys(estate, LegacyInterface.objects.get(pk=interface.pk)) == ["replacement", f"point:{point.pk}"]


def test_what_nobody_accepted_holds_it_up(estate):
    interface = made_ready(estate)
    estate.compare(interface, "No,Amount\nI-77,10.00\n")

    assert open_keys(estate, interface) == ["agreed"]


def test_an_empty_side_proves_nothing(estate):
    interface = estate.interface()
    run = estate.compare(
        interface, "No,Amount,Date\nI-1,1,2026-01-05\n", date_field="issue_date", first_day=date(2026, 2, 1),
        columns={"No": "number", "Amount": "total", "Date": "issue_date"},
    )  # fmt: skip

    assert (run.status, run.finding_count) == ("done", 0)
    assert "agreed" in open_keys(estate, interface)


def test_keys_alone_prove_nothing(estate):
    interface = made_ready(estate)
    run = estate.compare(interface, "No\nNightly invoice file-1\n", columns={"No": "number"})

    assert (run.status, run.equal_count, run.finding_count) == ("done", 1, 0)
    assert open_keys(estate, interface) == ["agreed"]


def test_only_an_owner_goes_on_with_open_points_and_says_why(estate):
    interface = estate.interface()
    engineer = replace(estate.actor, permissions=STAFF_PERMISSIONS[StaffRole.ADMIN])

    with pytest.raises(NotPermitted):
        cut_over(actor=engineer, now=estate.now, interface=interface, reason="Now")
    done = step(estate, cut_over, interface, reason="The old server is dead")

    assert (done.status, done.override_reason) == ("cut_over", "The old server is dead")
    told = AuditEvent.objects.get(action="legacy_interface.cut_over").after
    assert (told["reason"], len(told["open_points"])) == ("The old server is dead", 6)


def test_rolled_back_it_is_in_use_again_and_the_replacement_pauses(estate):
    interface = step(estate, cut_over, made_ready(estate))
    with pytest.raises(UnableToSaveInterface):
        step(estate, roll_back, interface, reason=" ")

    back = step(estate, roll_back, interface, reason="Totals are wrong", after=timedelta(hours=1))

    estate.integration.refresh_from_db()
    assert (back.status, back.rollback_reason, back.cut_over_at) == ("in_use", "Totals are wrong", None)
    assert estate.integration.status == IntegrationStatus.PAUSED
    assert AuditEvent.objects.get(action="legacy_interface.rolled_back").after["replacement_paused"] is True
    # What was compared before it went wrong proves nothing any more.
    assert open_keys(estate, LegacyInterface.objects.get(pk=back.pk)) == ["replacement", "compared"]
    with pytest.raises(UnableToChangeInterface):
        step(estate, roll_back, back, reason="Again")


def test_a_replacement_that_works_for_others_too_is_not_paused_unasked(estate):
    first = step(estate, cut_over, made_ready(estate, "First"))
    second = step(estate, cut_over, made_ready(estate, "Second"), reason="Same integration")

    with pytest.raises(UnableToChangeInterface, match="does the work of other interfaces"):
        step(estate, roll_back, first, reason="Wrong")
    back = step(estate, roll_back, first, reason="Wrong", leaves_running=True)

    estate.integration.refresh_from_db()
    assert (back.status, estate.integration.status) == ("in_use", IntegrationStatus.LIVE)
    assert LegacyInterface.objects.get(pk=second.pk).status == "cut_over"


def test_it_is_retired_after_quiet_days(estate):
    interface = step(estate, cut_over, made_ready(estate))

    with pytest.raises(NotReady, match="14 quiet days after the cut-over: 4 to go"):
        step(estate, retire_interface, interface, after=timedelta(days=10, hours=1))
    fail(estate)
    with pytest.raises(NotReady, match="open errors"):
        step(estate, retire_interface, interface, after=timedelta(days=14))
    RecordFailure.objects.all().delete()
    done = step(estate, retire_interface, interface, after=timedelta(days=14))

    assert (done.status, done.retired_at) == ("retired", estate.now + timedelta(days=14))
    with pytest.raises(UnableToChangeInterface):
        step(estate, roll_back, done, reason="Too late")
    with pytest.raises(UnableToChangeInterface):
        add_point(actor=estate.actor, now=estate.now, interface=done, text="Too late")


def test_what_replaces_it_stays_once_it_is_cut_over(estate):
    interface = step(estate, cut_over, made_ready(estate))

    with pytest.raises(UnableToSaveInterface) as refused:
        change_interface(
            actor=estate.actor,
            now=estate.now,
            interface=interface,
            draft=replace(draft_of(interface), integration=None),
        )

    assert refused.value.field == "integration"
