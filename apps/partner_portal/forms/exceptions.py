from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.urls import reverse

from apps.canonical.models import Entity
from apps.connectors.sdk.entities import ENTITIES
from apps.monitoring.models import Solver
from apps.monitoring.paths import choices_from
from apps.monitoring.services import RuleDraft
from apps.monitoring.services.rules import date_fields
from apps.monitoring.time_value import VALUED
from apps.partner_portal.forms.errors import AssignForm, IgnoreForm
from apps.ui.forms import CheckedForm

_DAYS = {"1": "tomorrow", "3": "in 3 days", "7": "in a week", "30": "in 30 days", "90": "in 90 days"}


class SnoozeForm(CheckedForm):
    days = forms.ChoiceField(label="Snooze until", choices=list(_DAYS.items()), initial="7")

    def until(self, now: datetime) -> datetime:
        return now + timedelta(days=int(self.cleaned_data["days"]))


FORMS: dict[str, type[forms.Form]] = {"assign": AssignForm, "snooze": SnoozeForm, "ignore": IgnoreForm}


def _code(**attributes: Any) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "class": "form-control mono", **attributes})


class RuleForm(CheckedForm):
    """A rule in the form the shipped ones have, too. The kind of record is chosen once."""

    name = forms.CharField(label="Name", max_length=120)
    entity = forms.ChoiceField(label="Kind of record", choices=Entity.choices)
    condition = forms.CharField(
        label="Which of them", required=False, max_length=2000, widget=_code(),
        help_text='An expression over the record, such as record.status == "approved" && record.billable. Empty: all.',
    )  # fmt: skip
    only_if = forms.CharField(
        label="Only those with", required=False, max_length=200, widget=_code(rows=1),
        help_text="A way to another record that must exist for the rule to speak, such as project/opportunity.",
    )  # fmt: skip
    expectation = forms.CharField(
        label="Must lead to", required=False, max_length=400, widget=_code(rows=1),
        help_text="A way to the record that must exist: a reference (invoice), or another kind's reference to it "
        "(contract.project). Steps are joined by /, alternatives by |. Empty: the condition alone is the exception.",
    )  # fmt: skip
    expected = forms.CharField(
        label="Which must have", required=False, max_length=500, widget=_code(rows=1),
        help_text='What must be true of the linked record: record.status == "paid", or what a system shows of it: shown.payment_status == "paid".',
    )  # fmt: skip
    only_where_known = forms.BooleanField(
        label="Only at customers whose systems hold such linked records at all", required=False
    )
    within_days = forms.IntegerField(label="Within days", min_value=0, max_value=730, initial=7)
    counted_from = forms.ChoiceField(label="Counted from", required=False)
    amount = forms.CharField(
        label="Amount at stake", required=False, max_length=500, widget=_code(rows=1),
        help_text="An expression that gives money: record.amount, or record.time_amount (hours at the customer's rates).",
    )  # fmt: skip
    solver = forms.ChoiceField(
        label="To solve by",
        choices=[(Solver.PARTNER, "Us"), (Solver.CUSTOMER, "The customer, who sees it in the portal")],
    )
    description = forms.CharField(
        label="What it means", required=False, max_length=400, widget=forms.Textarea(attrs={"rows": 2})
    )
    next_step = forms.CharField(
        label="What to do", required=False, max_length=400, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, entity: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Another kind, other words: they are shown beside the form.
        self.fields["entity"].widget.attrs |= {
            "hx-get": reverse("partner_portal:exception_rule_add"), "hx-target": "#words", "hx-select": "#words",
            "hx-swap": "outerHTML",
        }  # fmt: skip
        if entity:
            self.fields["entity"].choices = [(entity, Entity(entity).label)]  # type: ignore[attr-defined]
        dates = date_fields(entity) if entity else sorted({name for kind in ENTITIES for name in date_fields(kind)})
        self.fields["counted_from"].choices = [  # type: ignore[attr-defined]
            ("", "When its state last changed"),
            *((name, f"Its {name.replace('_', ' ')}") for name in dates),
        ]

    def draft(self, given: dict[str, Any]) -> RuleDraft:
        return RuleDraft(**given)


def vocabulary_of(entity: str) -> dict[str, list[str]]:
    """What expressions and ways of a kind of record can name."""
    computed = ["time_amount", "time_seconds", "time_count"] if entity in VALUED else []
    return {"fields": [*ENTITIES[entity].__struct_fields__, *computed], "ways": choices_from(entity)}
