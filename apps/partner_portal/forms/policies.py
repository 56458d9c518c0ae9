from __future__ import annotations

from typing import Any

from django import forms

from apps.canonical.models import Entity
from apps.connectors.sdk.entities import ENTITIES
from apps.flows.definition import CONFLICT_POLICIES, DELETE_POLICIES, DELETION, SYSTEM_OF_RECORD

FIELDS = sorted({name for entity in ENTITIES.values() for name in entity.__struct_fields__})


class FieldPolicyForm(forms.Form):
    entity = forms.ChoiceField(label="Kind of record", choices=Entity.choices)
    field = forms.ChoiceField(
        label="Field",
        choices=[
            ("*", "All other fields"),
            (DELETION, "Deletions"),
            *((name, name.replace("_", " ")) for name in FIELDS),
        ],
    )
    policy = forms.ChoiceField(
        label="What happens",
        choices=[("Edited on both sides", list(CONFLICT_POLICIES.items())), ("Deleted on one side", list(DELETE_POLICIES.items()))],
    )  # fmt: skip
    role = forms.ChoiceField(
        label="System that is right", required=False,
        widget=forms.Select(attrs={"data-shown-if": f"policy={SYSTEM_OF_RECORD}"}),
    )  # fmt: skip

    def __init__(self, roles: dict[str, str], data: Any = None) -> None:
        super().__init__(data)
        role: Any = self.fields["role"]
        role.choices = [("", "–"), *roles.items()]
