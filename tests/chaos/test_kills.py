"""SIGKILL at every step and at random moments: nothing is lost, nothing stands twice, nothing is written again."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from apps.sync.engine.crashpoints import POINTS
from tests.chaos.conftest import MakeStory
from tests.chaos.story import SCHEMA, Attack, ChaosStory, assert_exactly_once
from tests.chaos.workers import Workers

pytestmark = [pytest.mark.chaos, pytest.mark.django_db, pytest.mark.enable_socket]

SEED = 20261102
RANDOM_STORIES = 4
FLOWS = ("opportunity-to-project", "time-to-invoice", "payment-status")


def dying_at(point: str) -> Attack:
    """The first worker dies when it gets there, the next when it gets there a second time; later ones live."""
    times = iter((1, 2))

    def attack(workers: Workers, now: datetime) -> int:
        time = next(times, 0)
        return workers.work(SCHEMA, now, crash_at=f"{point}:{time}" if time else "")

    return attack


def dying_within(seconds: float, chance: random.Random, times: int) -> Attack:
    """Up to `times` workers die, each at a moment of its own."""
    left = [times]

    def attack(workers: Workers, now: datetime) -> int:
        moment = chance.uniform(0, seconds) if left[0] else None
        left[0] -= moment is not None
        return workers.work(SCHEMA, now, kill_after=moment)

    return attack


# Calls that each flow is sure to make: where a vendor does the work and its answer is lost, cut short or an error.
CALLS = {
    "opportunity-to-project": [
        ("hubspot", "POST", "/crm/v3/objects/deals/search"), ("tryton", "POST", "/rest/model/party.party/create"),
        ("tryton", "POST", "/rest/model/project.work/create"), ("redmine", "POST", "/projects.json"),
        ("redmine", "POST", "/issues.json"),
    ],
    "time-to-invoice": [
        ("redmine", "GET", "/time_entries.json"), ("tryton", "POST", "/rest/model/timesheet.line/create"),
        ("xero", "PUT", "/api.xro/2.0/Contacts"), ("xero", "PUT", "/api.xro/2.0/Invoices"),
    ],
    "payment-status": [("xero", "GET", "/api.xro/2.0/Payments"), ("hubspot", "POST", "/crm/v3/objects/deals/batch")],
}  # fmt: skip
FAULTS = ("timeout_after_commit", "truncate", "reset", "status")


def on_a_bad_day(story: ChaosStory, key: str, chance: random.Random, attack: Attack) -> Attack:
    """Two of the flow's calls go wrong, once each, before the attack begins."""
    waiting = chance.sample(CALLS[key], 2)

    def attack_with_faults(workers: Workers, now: datetime) -> int:
        while waiting:
            vendor, method, path = waiting.pop()
            fault = {"kind": chance.choice(FAULTS), "match": {"method": method, "path_prefix": path}}
            story.break_call(vendor, fault)
        return attack(workers, now)

    return attack_with_faults


def test_without_a_kill(make_story: MakeStory) -> None:
    story = make_story()

    assert story.play({}) == 0

    assert_exactly_once(story)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at(make_story: MakeStory, point: str) -> None:
    story = make_story()

    kills = story.play({key: dying_at(point) for key in FLOWS})

    assert kills >= 1
    assert_exactly_once(story)


@pytest.mark.parametrize("number", range(RANDOM_STORIES))
def test_killed_at_random_moments_while_vendors_misbehave(make_story: MakeStory, number: int) -> None:
    chance = random.Random(SEED + number)
    story = make_story()

    story.play({key: on_a_bad_day(story, key, chance, dying_within(0.6, chance, 3)) for key in FLOWS})

    assert_exactly_once(story)
