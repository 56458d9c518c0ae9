from __future__ import annotations

from typing import Any

from django import forms

from apps.canonical.scoring import NEVER
from apps.canonical.selectors import PolicyInForce
from apps.ui.forms import CheckedForm

PREFIX = "rule_"


class MatchRulesForm(CheckedForm):
    """Thresholds, and points for each rule of one kind of record."""

    merge_score = forms.IntegerField(
        label="Merge from", min_value=1, max_value=101, help_text="From this score on two records are one without asking. 101: always ask.",
    )  # fmt: skip
    ask_score = forms.IntegerField(
        label="Ask from", min_value=1, max_value=100, help_text="From this score on a person is asked; below, the record is new.",
    )  # fmt: skip

    def __init__(self, policy: PolicyInForce, data: Any = None) -> None:
        super().__init__(data, initial={"merge_score": policy.merge_score, "ask_score": policy.ask_score})
        for rule in policy.rules:
            self.fields[f"{PREFIX}{rule.key}"] = forms.IntegerField(
                label=rule.label, initial=rule.points, min_value=NEVER, max_value=100,
                help_text=f"{rule.shipped_points} unless you change it; 0 switches it off.",
            )  # fmt: skip

    @property
    def weights(self) -> dict[str, int]:
        return {n.removeprefix(PREFIX): v for n, v in self.cleaned_data.items() if n.startswith(PREFIX)}
