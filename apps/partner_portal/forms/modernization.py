"""Forms of a customer's old interfaces, the waves they are replaced in, and the comparison of results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django import forms

from apps.canonical.models import Entity
from apps.connectors.sdk.declared.files.guess import DATES
from apps.flows.models import Integration
from apps.modernization.comparison import RULES, Comparison, written_as
from apps.modernization.fields import date_choices, systems_of
from apps.modernization.models import (
    Criticality,
    Documentation,
    InterfaceKind,
    LegacyInterface,
    MigrationWave,
    ParallelRun,
)
from apps.modernization.old_results import MAX_BYTES, MAX_ROWS, OldResult
from apps.modernization.selectors import choices_for
from apps.modernization.services import InterfaceDraft, WaveDraft, stamp_of
from apps.ui.forms import CheckedForm

NO_ENTITY = ("", "Something else, or several kinds")
DATE_WORDS = {
    "": "2026-11-30", "%d.%m.%Y": "30.11.2026", "%d/%m/%Y": "30/11/2026", "%m/%d/%Y": "11/30/2026",
    "%d-%m-%Y": "30-11-2026", "%Y/%m/%d": "2026/11/30", "%Y%m%d": "20261130", "%d.%m.%y": "30.11.26",
}  # fmt: skip


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ShownForm(CheckedForm):
    """`seen` stands for what was shown: what somebody else saved meanwhile is not overwritten."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def plain(self, given: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if name != "seen"}


class InterfaceForm(ShownForm):
    name = forms.CharField(label="Name", max_length=120, help_text="As people call it: “Nightly invoice file”.")
    kind = forms.ChoiceField(label="Kind", choices=InterfaceKind.choices)
    source = forms.CharField(label="From system", max_length=120)
    target = forms.CharField(label="To system", max_length=120)
    entity = forms.ChoiceField(label="Carries", choices=[NO_ENTITY, *Entity.choices], required=False)
    frequency = forms.CharField(
        label="How often", max_length=120, required=False, help_text="In words: “nightly at 02:00”."
    )
    monthly_count = forms.IntegerField(label="Records a month", min_value=0, max_value=2_000_000_000, required=False)
    owner = forms.CharField(label="Looked after by", max_length=120, required=False)
    criticality = forms.ChoiceField(label="How critical", choices=Criticality.choices, initial=Criticality.NORMAL)
    documentation = forms.ChoiceField(label="Documentation", choices=Documentation.choices)
    wave = forms.ChoiceField(label="Wave", required=False)
    integration = forms.ChoiceField(label="Replaced by", required=False)
    depends_on = forms.MultipleChoiceField(
        label="Depends on", required=False, help_text="Interfaces that must be replaced before this one."
    )
    way_back = forms.CharField(
        label="Way back", required=False, max_length=2000, widget=_area(3),
        help_text="How the old interface is taken up again if the new one does not do.",
    )  # fmt: skip
    notes = forms.CharField(label="Notes", required=False, max_length=4000, widget=_area(3))

    def __init__(
        self, data: Any, *, waves: Sequence[MigrationWave], integrations: Sequence[Integration],
        others: Sequence[LegacyInterface], initial: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(data, initial=initial)
        self._waves = {str(wave.pk): wave for wave in waves}
        self._integrations = {str(one.pk): one for one in integrations}
        self._others = {str(one.pk): one for one in others}
        self._offer("wave", [("", "Not planned yet"), *((key, str(one)) for key, one in self._waves.items())])
        self._offer("integration", [("", "Nothing yet"), *self._told_integrations()])
        self._offer("depends_on", [(key, str(one)) for key, one in self._others.items()])
        if not self._others:
            del self.fields["depends_on"]

    def _offer(self, name: str, choices: Iterable[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = list(choices)

    def _told_integrations(self) -> list[tuple[str, str]]:
        return [
            (key, f"{one.name} ({one.environment.get_kind_display().lower()})")
            for key, one in self._integrations.items()
        ]

    def draft(self, given: dict[str, Any]) -> InterfaceDraft:
        links = {
            "wave": self._waves.get(given["wave"]),
            "integration": self._integrations.get(given["integration"]),
            "depends_on": tuple(self._others[key] for key in given.get("depends_on", [])),
        }
        return InterfaceDraft(**{**self.plain(given), **links})

    @staticmethod
    def initial_of(draft: InterfaceDraft) -> dict[str, Any]:
        links = {
            "wave": str(draft.wave.pk) if draft.wave else "",
            "integration": str(draft.integration.pk) if draft.integration else "",
            "depends_on": [str(one.pk) for one in draft.depends_on],
        }
        return {**draft.values(), **links, "seen": stamp_of(draft)}


class WaveForm(ShownForm):
    name = forms.CharField(label="Name", max_length=80, help_text="“1 · Master data”.")
    position = forms.IntegerField(
        label="Order", min_value=1, max_value=999, required=False, help_text="Empty: after the last one."
    )
    goal = forms.CharField(label="Goal", max_length=300, required=False, widget=_area(2))
    starts_on = forms.DateField(label="Starts", required=False, widget=_day())
    cut_over_on = forms.DateField(label="Cut over", required=False, widget=_day())

    def draft(self, given: dict[str, Any]) -> WaveDraft:
        return WaveDraft(**self.plain(given))

    @staticmethod
    def initial_of(draft: WaveDraft) -> dict[str, Any]:
        return {**draft.values(), "seen": stamp_of(draft)}


class ReasonForm(forms.Form):
    reason = forms.CharField(label="Why", max_length=300, widget=_area(2))


class RollBackForm(ReasonForm):
    leaves_running = forms.BooleanField(
        label="Leave the new integration running", required=False,
        help_text="It does the work of other interfaces, too: pausing it would stop them.",
    )  # fmt: skip

    def __init__(self, *args: Any, is_shared: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_shared:
            del self.fields["leaves_running"]


class PointForm(forms.Form):
    text = forms.CharField(label="Another point", max_length=200)


class EstateForm(forms.Form):
    file = forms.FileField(label="File", required=False, help_text="CSV with one interface a line, or YAML.")
    source = forms.CharField(label="Or the text itself", required=False, max_length=200_000, widget=_area(12))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload = cleaned.get("file")
        if upload is not None:
            if upload.size > 400_000:
                raise forms.ValidationError({"file": "Take a file of at most 400 kB."})
            cleaned["source"] = upload.read().decode("utf-8-sig", errors="replace")
        if not cleaned.get("source", "").strip():
            raise forms.ValidationError({"file": "Choose a file, or paste the text."})
        return cleaned


class ResultForm(forms.Form):
    file = forms.FileField(
        label="Old result", max_length=200,
        help_text=f"What the old interface produced: CSV with a header row, or a JSON list. At most {MAX_ROWS:,} rows.",
    )  # fmt: skip
    entity = forms.ChoiceField(label="Kind of record", choices=Entity.choices)

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            raise forms.ValidationError(f"Take a file of at most {MAX_BYTES // 1024 // 1024} MB.")
        return upload


class ComparisonForm(forms.Form):
    """What each column holds (`column_<n>`, `key_<n>`), and how strictly the two sides are compared."""

    system = forms.ChoiceField(label="New result", required=False)
    date_field = forms.ChoiceField(label="Cut to a period by", required=False)
    first_day = forms.DateField(label="From", required=False, widget=_day())
    last_day = forms.DateField(label="Up to and including", required=False, widget=_day())
    amount_tolerance = forms.RegexField(
        r"^\d{1,12}(\.\d{1,6})?$",
        label="Amounts may differ by",
        initial="0",
        help_text="In their own unit: 0.01 is a cent.",
    )
    day_tolerance = forms.IntegerField(label="Dates may differ by days", min_value=0, max_value=366, initial=0)
    ignores_case = forms.BooleanField(label="Capital and small letters are the same", required=False)
    ignores_blanks = forms.BooleanField(label="Blanks do not count", required=False)
    decimal = forms.ChoiceField(label="Amounts are written", choices=[(".", "1234.56"), (",", "1234,56")])
    dates = forms.ChoiceField(
        label="Days are written", choices=[(form, DATE_WORDS[form]) for form in DATES], required=False
    )

    def __init__(self, run: ParallelRun, result: OldResult, data: Any = None) -> None:
        self.run, self.result = run, result
        self.known = run.rules
        super().__init__(data, initial=self._initial())
        self.choices = choices_for(run.interface, run.entity)
        held = [("", "–"), *((token, choice.label) for token, choice in self.choices.items())]
        for number, column in enumerate(result.columns):
            token = self.known.columns.get(column, "")
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=f"What “{column}” holds", choices=held, required=False, initial=token
            )
            self.fields[f"key_{number}"] = forms.BooleanField(
                label=f"“{column}” says which record it is",
                required=False,
                initial=token in self.known.keys and bool(token),
            )
        systems = systems_of(run.interface.integration)
        self._offer(
            "system",
            [("", "Any system of the integration"), *((str(one.pk), f"Only what {one} holds") for one in systems)],
        )
        dates = [(one.token, one.label) for one in date_choices(self.choices)]
        self._offer("date_field", [("", "Not at all"), *dates])
        for name, unclear in (("decimal", result.unclear_numbers), ("dates", result.unclear_days)):
            if unclear:
                self.fields[name].help_text = f"“{unclear[0][:60]}” can be read in two ways: check this."
        if result.is_json:
            del self.fields["decimal"]

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def _initial(self) -> dict[str, Any]:
        known = self.known
        own = {name: getattr(known, name) for name in ("system", *RULES)}
        return {**own, "decimal": known.file.decimal, "dates": known.file.dates}

    @property
    def rows(self) -> list[tuple[str, list[str], Any, Any]]:
        """(column, first values, what it holds, whether it says which record it is)."""
        return [
            (column, self.result.samples[column], self[f"column_{number}"], self[f"key_{number}"])
            for number, column in enumerate(self.result.columns)
        ]

    @property
    def settings(self) -> list[Any]:
        return [field for field in self if not field.name.startswith(("column_", "key_"))]

    def comparison(self, given: dict[str, Any]) -> Comparison:
        columns, keys = dict[str, str](), list[str]()
        for number, column in enumerate(self.result.columns):
            token = given[f"column_{number}"]
            if token:
                columns[column] = token
                keys += [token] if given[f"key_{number}"] else []
        file = msgspec.structs.replace(self.result.file, time_zone=self.known.file.time_zone)
        return Comparison(
            columns=columns, keys=keys, is_json=self.result.is_json, system=given["system"],
            file=written_as(file, decimal=given.get("decimal", file.decimal), dates=given["dates"]),
            **{name: given[name] for name in RULES},
        )  # fmt: skip


class AcceptForm(ReasonForm):
    kind = forms.CharField(required=False, widget=forms.HiddenInput)
    field = forms.CharField(required=False, widget=forms.HiddenInput)
    finding = forms.IntegerField(required=False, widget=forms.HiddenInput)
