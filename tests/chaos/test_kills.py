"""SIGKILL at every step and at random moments: nothing is lost, nothing stands twice, nothing is written again."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from apps.sync.engine.crashpoints import POINTS
from tests.chaos.conftest import MakeStory
from tests.chaos.story import SCHEMA, Attack, assert_exactly_once
from tests.chaos.workers import Workers

pytestmark = [pytest.mark.chaos, pytest.mark.django_db, pytest.mark.enable_socket]

SEED = 20261102
RANDOM_STORIES = 6
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
def test_killed_at_random_moments(make_story: MakeStory, number: int) -> None:
    chance = random.Random(SEED + number)
    story = make_story()

    story.play({key: dying_within(1.0, chance, 3) for key in FLOWS})

    assert_exactly_once(story)
