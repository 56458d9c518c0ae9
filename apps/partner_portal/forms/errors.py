"""The error desk's forms."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms

from apps.accounts.models import StaffMembership
from apps.core.money import Money, exponent
from apps.sync.services import EditableField
from apps.ui.differences import field_name
from apps.ui.fields import CurrencyField
from apps.ui.forms import CheckedForm

TIMES = {"again": 1, "again_10": 10, "again_100": 100}
HOURS = {"1h": 1, "4h": 4, "24h": 24, "72h": 72, "168h": 168, "720h": 720}
NOBODY = "nobody"


class IgnoreForm(CheckedForm):
    reason = forms.CharField(
        label="Reason", max_length=300, help_text="Your colleagues and the audit trail will show it.",
        widget=forms.Textarea(attrs={"rows": 2, "data-shortcut": "i"}),
    )  # fmt: skip


class CommentForm(CheckedForm):
    text = forms.CharField(
        label="Comment", max_length=2000, widget=forms.Textarea(attrs={"rows": 2, "data-shortcut": "c"})
    )


class SnoozeForm(CheckedForm):
    until = forms.ChoiceField(
        label="Snooze until",
        choices=[
            ("1h", "in 1 hour"), ("4h", "in 4 hours"), ("24h", "tomorrow"), ("72h", "in 3 days"), ("168h", "in a week"),
            ("720h", "in 30 days"), ("again", "it fails again"), ("again_10", "it failed 10 more times"),
            ("again_100", "it failed 100 more times"),
        ],
        help_text="It is tried again meanwhile like any other.", widget=forms.Select(attrs={"data-shortcut": "s"}),
    )  # fmt: skip

    def chosen(self, now: datetime) -> dict[str, Any]:
        """What the service wants to know."""
        value = self.cleaned_data["until"]
        return {"times": TIMES[value]} if value in TIMES else {"until": now + timedelta(hours=HOURS[value])}


class AssignForm(CheckedForm):
    assignee = forms.ChoiceField(label="Looked after by", widget=forms.Select(attrs={"data-shortcut": "a"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].choices = [(NOBODY, "Nobody"), *colleagues()]  # type: ignore[attr-defined]


def colleagues() -> list[tuple[str, str]]:
    members = StaffMembership.objects.filter(user__is_active=True).select_related("user").order_by("user__name", "id")
    return [(str(member.user_id), str(member.user)) for member in members]


class EditForm(CheckedForm):
    """The fields of a record as it is sent. Money is an amount and, under `<name>_currency`, its currency."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, editable: list[EditableField], version: int, **kwargs: Any) -> None:
        initial: dict[str, Any] = {"version": version}
        super().__init__(*args, **{**kwargs, "initial": initial})
        self.editable = editable
        for field in editable:
            self._add(field, initial)

    def _add(self, field: EditableField, initial: dict[str, Any]) -> None:
        label = f"{field_name(field.name)} (hours)" if _is_duration(field) else field_name(field.name)
        if field.kind == "money":
            money = field.value or {}
            currency = money.get("currency", "")
            places = exponent(currency) if currency else 2
            self.fields[field.name] = forms.DecimalField(label=label, required=field.is_required, max_digits=18)
            self.fields[f"{field.name}_currency"] = CurrencyField(label=f"{label}: currency", required=False)
            currencies: Any = self.fields[f"{field.name}_currency"]
            currencies.choices = [("", "Choose a currency"), *currencies.choices]
            # An amount that was empty is most likely in the currency of the others.
            initial[f"{field.name}_currency"] = currency or self._usual_currency()
            if money:
                initial[field.name] = Decimal(money["amount"]).scaleb(-places)
            return
        self.fields[field.name] = _control(field, label)
        if _is_duration(field):
            initial[field.name] = None if field.value is None else _hours(field.value)
            return
        initial[field.name] = str(field.value).lower() if isinstance(field.value, bool) else field.value

    def _usual_currency(self) -> str:
        known = [str(f.value["currency"]) for f in self.editable if f.kind == "money" and f.value]
        return next(iter([*known, *(str(f.value) for f in self.editable if f.name == "currency" and f.value)]), "")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for field in self.editable:
            if field.kind == "money" and data.get(field.name) is not None and not data.get(f"{field.name}_currency"):
                self.add_error(f"{field.name}_currency", "An amount needs its currency.")
        return data

    def values(self) -> dict[str, Any]:
        """What was changed, as records hold it; None for what was emptied."""
        found = {field.name: self._value(field) for field in self.editable}
        return {field.name: found[field.name] for field in self.editable if found[field.name] != field.value}

    def _value(self, field: EditableField) -> Any:
        value = self.cleaned_data.get(field.name)
        if value is None or value == "":
            return None
        if field.kind == "money":
            money = Money.from_decimal(value, self.cleaned_data[f"{field.name}_currency"])
            return {"amount": money.amount, "currency": money.currency}
        if _is_duration(field):
            return round(value * 3600)
        return value == "true" if field.kind == "boolean" else value.isoformat() if field.kind == "date" else value


def _is_duration(field: EditableField) -> bool:
    """Stored in seconds, read and entered in hours."""
    return field.kind == "integer" and field.name.endswith("_seconds")


def _hours(seconds: int) -> Decimal:
    """To four places, which lead back to the same second."""
    return Decimal(f"{round(Decimal(seconds) / 3600, 4).normalize():f}")


def _control(field: EditableField, label: str) -> forms.Field:
    common: dict[str, Any] = {"label": label, "required": field.is_required}
    if field.kind == "choice":
        empty = [] if field.is_required else [("", "Not said")]
        return forms.ChoiceField(
            choices=[*empty, *((choice, choice.replace("_", " ").capitalize()) for choice in field.choices)], **common
        )
    if field.kind == "boolean":
        options = [("true", "Yes"), ("false", "No")]
        return forms.ChoiceField(choices=options if field.is_required else [("", "Not said"), *options], **common)
    if field.kind == "date":
        return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **common)
    if _is_duration(field):
        return forms.DecimalField(min_value=0, max_value=1_000_000, max_digits=11, decimal_places=4, **common)
    if field.kind == "integer":
        return forms.IntegerField(**common)
    if field.pattern:
        return forms.RegexField(field.pattern, strip=True, **common)
    return forms.CharField(max_length=5000, strip=False, **common)
