from __future__ import annotations

from typing import Any

from django import forms

EVERYTHING, PERIOD, RECORD = "everything", "period", "record"
ONLY_PERIOD, ONLY_RECORD = ({"data-shown-if": f"what={what}"} for what in (PERIOD, RECORD))


class ReadAgainForm(forms.Form):
    """What a run is to read instead of what is new."""

    what = forms.ChoiceField(
        label="What to read",
        choices=[
            (EVERYTHING, "Everything again"), (PERIOD, "What changed in a period"), (RECORD, "One record"),
        ],
        widget=forms.RadioSelect,
    )  # fmt: skip
    first_day = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date", **ONLY_PERIOD})
    )
    last_day = forms.DateField(
        label="To", required=False, widget=forms.DateInput(attrs={"type": "date", **ONLY_PERIOD}),
        help_text="Both days are included, in UTC.",
    )  # fmt: skip
    source = forms.ChoiceField(label="Where the record is", required=False, widget=forms.Select(attrs=ONLY_RECORD))
    external_id = forms.CharField(
        label="Its id in that system", required=False, max_length=120, widget=forms.TextInput(attrs=ONLY_RECORD)
    )

    def __init__(self, sources: list[tuple[str, str]], data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial={"what": EVERYTHING, **(initial or {})})
        source: Any = self.fields["source"]
        source.choices = sources

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("what") == PERIOD:
            for name in ("first_day", "last_day"):
                if not given.get(name) and name not in self.errors:
                    self.add_error(name, "Choose a day.")
        return given


class RunLimitsForm(forms.Form):
    max_minutes = forms.IntegerField(
        label="Longest run, in minutes", min_value=1, max_value=10_000,
        help_text="Time it works; waiting does not count.",
    )  # fmt: skip
    max_records = forms.IntegerField(
        label="Most records a run may read", min_value=1, max_value=1_000_000_000,
        help_text="A run that reads more stops, keeps what it did and asks.",
    )  # fmt: skip
    max_failed_percent = forms.IntegerField(
        label="Largest share of failures, in percent", min_value=1, max_value=100,
        help_text="Counted from 100 changes on.",
    )  # fmt: skip
    drop_percent = forms.IntegerField(
        label="Warn when a system shows so many percent fewer records", min_value=1, max_value=100,
        help_text="For runs that read everything, against what they usually find.",
    )  # fmt: skip
    per_partner = forms.IntegerField(
        label="Runs at once, all together", required=False, min_value=1, max_value=1000,
        help_text="Empty: as many as there are workers.",
    )  # fmt: skip
    per_customer = forms.IntegerField(
        label="Runs at once for one customer", required=False, min_value=1, max_value=1000
    )
    per_connection = forms.IntegerField(
        label="Runs at once with one system", required=False, min_value=1, max_value=1000
    )
