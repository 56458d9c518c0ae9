from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from apps.sla.measures import ObjectiveKey
from apps.sla.models import SlaPolicyVersion
from apps.ui.forms import CheckedForm

PERCENT: dict[str, Any] = {"min_value": Decimal("0.001"), "max_value": Decimal(100)}


class PolicyForm(CheckedForm):
    """A promise: each objective counts when its target is filled in."""

    name = forms.CharField(label="Name", max_length=80, help_text="As reports show it, such as Gold.")
    run_success = forms.DecimalField(
        label="Successful runs, %", required=False, max_digits=6, decimal_places=3, **PERCENT,
        help_text="Runs that completed, out of all that ended.",
    )  # fmt: skip
    record_success = forms.DecimalField(
        label="Records kept in step, %", required=False, max_digits=6, decimal_places=3, **PERCENT,
        help_text="Records written or found unchanged, out of those and the failed ones.",
    )  # fmt: skip
    freshness = forms.DecimalField(
        label="Freshness, %", required=False, max_digits=6, decimal_places=3, **PERCENT,
        help_text="Share of the time in which every flow was in step.",
    )  # fmt: skip
    freshness_minutes = forms.IntegerField(
        label="In step within, minutes", required=False, min_value=1, max_value=10_080,
        help_text="How long ago a flow's last good run may be.",
    )  # fmt: skip

    def __init__(self, *args: Any, is_revision: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_revision:
            del self.fields["name"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        share, minutes = data.get("freshness"), data.get("freshness_minutes")
        if share is not None and minutes is None and "freshness_minutes" not in self.errors:
            self.add_error("freshness_minutes", "Say within how many minutes a flow is in step.")
        if minutes is not None and share is None and "freshness" not in self.errors:
            self.add_error("freshness", "Say for which share of the time.")
        return data

    def objectives(self) -> list[dict[str, Any]]:
        data, found = self.cleaned_data, []
        for key in ObjectiveKey:
            target: Decimal | None = data.get(key.value)
            if target is not None:
                minutes = data.get("freshness_minutes") if key is ObjectiveKey.FRESHNESS else None
                found.append(
                    {"key": key.value, "target": f"{target.normalize():f}", "threshold_seconds": (minutes or 0) * 60}
                )
        return found

    @staticmethod
    def initial_of(version: SlaPolicyVersion) -> dict[str, Any]:
        initial: dict[str, Any] = {row["key"]: row["target"] for row in version.objectives}
        seconds = next(
            (row.get("threshold_seconds") for row in version.objectives if row.get("threshold_seconds")), None
        )
        return {**initial, "freshness_minutes": seconds // 60 if seconds else None}


class AssignForm(CheckedForm):
    policy = forms.ChoiceField(label="Policy", help_text="Promised from now on; the running month is judged by it.")

    def __init__(self, versions: list[SlaPolicyVersion], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._versions = {str(version.pk): version for version in versions}
        choices = [(key, str(version)) for key, version in self._versions.items()]
        self.fields["policy"].choices = choices  # type: ignore[attr-defined]

    def clean_policy(self) -> SlaPolicyVersion:
        return self._versions[self.cleaned_data["policy"]]
