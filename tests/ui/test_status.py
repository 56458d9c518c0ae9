from __future__ import annotations

import pytest
from django.db import models

from apps.ui.status import Status, Tone, status_of, tone_of


class Phase(models.TextChoices):
    GOING = "going", "Going well"

    @property
    def tone(self) -> str:
        return "ok"

    @property
    def icon(self) -> str:
        return "rosette-discount-check"


@pytest.mark.parametrize(
    "word,tone",
    [
        ("succeeded", Tone.OK), ("past_due", Tone.ATTENTION), ("failed", Tone.FAILING), ("running", Tone.INFO),
        ("paused", Tone.IDLE), ("never heard of", Tone.IDLE), ("success", Tone.OK), ("error", Tone.FAILING), ("ok", Tone.OK),
    ],
)  # fmt: skip
def test_words_have_a_tone(word, tone):
    assert tone_of(word) is tone


def test_choices_class_decides_label_tone_and_icon():
    assert status_of(Phase.GOING) == Status("Going well", Tone.OK, "rosette-discount-check", "going")


def test_stored_word_becomes_sentence_case():
    assert status_of("past_due") == Status("Past due", Tone.ATTENTION, "alert-triangle", "past_due")


def test_arguments_win():
    assert status_of("failed", label="Lost", tone="idle", icon="x") == Status("Lost", Tone.IDLE, "x", "failed")


def test_bare_tone_has_words():
    assert status_of("ok").label == "In step"


def test_every_choice_of_the_product_has_a_tone_that_is_meant():
    assert {tone_of(word) for word in ("draft", "void", "canceled", "deprecated", "none", "inactive")} == {Tone.IDLE}
