"""Two people at the same moment: each with a connection of their own, and what they do is committed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from apps.accounts.access import staff_actor
from apps.audit.models import AuditEvent
from apps.core.planes import tenant_plane
from apps.flows.models import Integration
from apps.modernization.models import LegacyInterface, MigrationWave, ParallelRun
from apps.modernization.models.comparisons import ACTIVE
from apps.modernization.services import (
    WaveDraft,
    add_wave,
    amend_interface,
    apply_estate,
    change_interface,
    cut_over,
    cutting_over,
    draft_of,
    interfaces,
    parallel_runs,
    remove_interface,
    remove_wave,
    roll_back,
    start_comparison,
    waves,
)
from tests.factories.at_once import SCHEMA, at_once
from tests.factories.kept import put_back
from tests.factories.world import make_staff
from tests.modernization.conftest import Estate, make_estate

A_MOMENT = 0.1
FILE = "No,Amount\nINV-1,1.00\n"


@pytest.fixture
def estate(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Estate]:
    """Committed; and everybody takes a moment between what they look at and the end of what they do."""
    with django_db_blocker.unblock(), tenant_plane(SCHEMA), put_back():
        actor = staff_actor(make_staff(now, "owner"))
        assert actor is not None
        made = make_estate(actor, now)
        for module in (interfaces, waves, parallel_runs, cutting_over):
            monkeypatch.setattr(module, "record_change", partial(_late, module.record_change))
        yield made


def _late(act: Callable[..., Any], **given: Any) -> Any:
    time.sleep(A_MOMENT)
    return act(**given)


def acting(estate: Estate) -> dict[str, Any]:
    return {"actor": estate.actor, "now": estate.now}


def add(estate: Estate, name: str) -> None:
    add_wave(**acting(estate), customer=estate.customer, draft=WaveDraft(name=name))


def start(estate: Estate, run: ParallelRun) -> None:
    start_comparison(
        **acting(estate), run=run, comparison=estate.comparison(run, columns={"No": "number"}, keys=["number"])
    )


def test_no_limit_is_passed_by_two_at_once(estate, monkeypatch):
    for module, name in ((interfaces, "MOST_INTERFACES"), (waves, "MOST_WAVES"), (parallel_runs, "MOST_ACTIVE")):
        monkeypatch.setattr(module, name, 1)

    assert sum(not one for one in at_once(*(partial(add, estate, name) for name in "ab"))) == 1
    assert sum(not one for one in at_once(*(partial(estate.interface, name) for name in "ab"))) == 1

    monkeypatch.setattr(interfaces, "MOST_INTERFACES", 3)
    runs = [estate.bring(estate.interface(name), FILE) for name in "cd"]
    assert sum(not one for one in at_once(*(partial(start, estate, run) for run in runs))) == 1
    counted = (LegacyInterface.objects.count(), MigrationWave.objects.count())
    assert (counted, ParallelRun.objects.filter(status__in=ACTIVE).count()) == ((3, 1), 1)


def test_waves_added_at_once_stand_in_an_order(estate):
    at_once(*(partial(add, estate, name) for name in "ab"))

    assert sorted(MigrationWave.objects.values_list("position", flat=True)) == [1, 2]


def test_an_estate_is_brought_while_files_are_and_neither_waits_for_the_other_for_ever(estate):
    first, second = estate.interface("a"), estate.interface("b")
    text = "name,notes\nb,new\na,new\n"

    told = at_once(
        lambda: apply_estate(**acting(estate), customer=estate.customer, text=text),
        lambda: (estate.bring(first, FILE), time.sleep(A_MOMENT)),
        lambda: cut_over(**acting(estate), interface=second, reason="It must go"),
    )

    assert told == ["", "", ""]
    assert set(LegacyInterface.objects.values_list("notes", flat=True)) == {"new"}


def test_what_somebody_removes_meanwhile_is_told_and_no_crash(estate):
    add(estate, "1 Money")
    wave, first, second = MigrationWave.objects.get(), estate.interface("a"), estate.interface("b")
    draft = replace(draft_of(first), wave=wave, depends_on=(second,))
    remove_wave(**acting(estate), wave=wave)
    with pytest.raises(interfaces.UnableToSaveInterface, match="wave was removed meanwhile"):
        change_interface(**acting(estate), interface=first, draft=draft)

    told = at_once(
        lambda: remove_interface(**acting(estate), interface=second),
        lambda: change_interface(**acting(estate), interface=first, draft=replace(draft, wave=None)),
    )

    assert told.count("") == 1
    left = LegacyInterface.objects.values_list("name", "depends_on__name").order_by("name")
    assert list(left) in ([("a", None)], [("a", "b"), ("b", None)])


def test_nothing_is_cut_over_to_what_is_paused_at_that_moment(estate):
    first, second = estate.interface("a"), estate.interface("b")
    cut_over(**acting(estate), interface=first, reason="It must go")

    told = at_once(
        lambda: roll_back(**acting(estate), interface=first, reason="Wrong totals"),
        lambda: cut_over(**acting(estate), interface=second, reason="It must go"),
    )

    trail = AuditEvent.objects.get(target_key=second.subject_key, action="legacy_interface.cut_over").after
    is_known = "The integration that replaces it is live in production" in trail["open_points"]
    status = Integration.objects.get(pk=estate.integration.pk).status
    # Either it is shared by then and goes on, or whoever cut over to what is paused was told so.
    assert (bool(told[0]), status, is_known) in [(True, "live", False), (False, "paused", True)]


def test_two_who_change_different_parts_both_have_their_way(estate):
    one, same = (LegacyInterface.objects.get(pk=pk) for pk in [estate.interface("a").pk] * 2)

    told = at_once(
        lambda: amend_interface(**acting(estate), interface=one, said={"notes": "Look at the log"}),
        lambda: amend_interface(**acting(estate), interface=same, said={"owner": "Marta"}),
    )

    one.refresh_from_db()
    assert (told, one.notes, one.owner) == (["", ""], "Look at the log", "Marta")
