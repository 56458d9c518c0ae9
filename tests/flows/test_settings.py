"""What somebody hostile gives for a setting: refused with the setting's name, and never kept."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from apps.flows.definition import SettingSpec
from apps.flows.inputs import InvalidSetting, clean_settings


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("money", "1e999999"), ("money", "Infinity"), ("money", "NaN"), ("money", "1e40"),
        ("money", {"amount": 10**40, "currency": "EUR"}), ("money", {"amount": True, "currency": "EUR"}),
        ("money", {"amount": 1, "currency": "<b>"}), ("integer", 10**40), ("integer", "9" * 4000),
        ("integer", "9" * 5000), ("text", "a" * 2001),
    ],
)  # fmt: skip
def test_it_is_refused(kind: Literal["money", "integer", "text"], value: Any) -> None:
    with pytest.raises(InvalidSetting) as raised:
        clean_settings([SettingSpec(key="a", label="A", type=kind)], {"a": value}, "EUR")
    assert raised.value.key == "a"


def test_what_is_within_reason_is_kept() -> None:
    specs = [SettingSpec(key=kind, label="A", type=kind) for kind in ("money", "integer", "text")]
    given = {"money": {"amount": -(10**15), "currency": "EUR"}, "integer": "-5", "text": "a" * 2000}

    assert clean_settings(specs, given, "EUR") == {**given, "integer": -5}
