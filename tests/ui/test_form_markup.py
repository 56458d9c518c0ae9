"""A select is what Django draws, but for spaces."""

from __future__ import annotations

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import SafeString, mark_safe

from apps.ui.form_markup import FormRenderer

HOSTILE = '"><script>&'


@pytest.mark.parametrize(
    ("widget", "value"),
    [
        (forms.Select(choices=[("", "–"), ("DE", "Germany"), ("FR", "Côte d'Azur")]), "DE"),
        (forms.Select(choices=[("Europe", [("DE", "Germany"), ("FR", "France")]), ("", "Other")]), "FR"),
        (forms.Select(attrs={"data-search": True, "disabled": False, "size": 1500}, choices=[(1, "One")]), 1),
        (forms.Select(attrs={"title": HOSTILE}, choices=[(HOSTILE, [(HOSTILE, HOSTILE)])]), HOSTILE),
        (forms.Select(choices=[("a", mark_safe("<b>A</b>")), (SafeString("&amp;"), "B")]), None),
        (forms.SelectMultiple(choices=[("a", "A"), ("b", "B"), ("c", "C")]), ["a", "c"]),
        (forms.NullBooleanSelect(), True),
        (forms.Select(), ""),
    ],
)
def test_a_select_is_what_django_draws(widget: forms.Select, value: object) -> None:
    ours, own = (
        widget.render("of", value, {"id": "id_of"}, renderer) for renderer in (FormRenderer(), DjangoTemplates())
    )

    assert " ".join(ours.split()).replace("> <", "><") == " ".join(own.split()).replace("> <", "><")
    assert isinstance(ours, SafeString)


def test_other_widgets_are_left_to_django() -> None:
    for widget in (forms.TextInput(), forms.RadioSelect(choices=[("a", "A")]), forms.CheckboxInput()):
        assert widget.render("of", "a", {}, FormRenderer()) == widget.render("of", "a", {}, DjangoTemplates())
