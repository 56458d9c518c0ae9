"""From a form or a button to the one service call, and back to the person who asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from apps.core.errors import AnticipatedError, NotPermitted, NotVisible
from apps.ui import htmx

T = TypeVar("T")


def submit(form: forms.Form, action: Callable[[dict[str, Any]], T]) -> T | None:
    """This function will call the service with the cleaned data; what it refuses becomes an error of the form.

    None when the form has to be shown again. What is not visible or permitted is no matter of the form and passes on.
    """
    if not form.is_valid():
        return None
    try:
        return action(form.cleaned_data)
    except (NotVisible, NotPermitted):
        raise
    except AnticipatedError as error:
        form.add_error(_input_of(form, error), error.user_message)
        return None


def _input_of(form: forms.Form, error: AnticipatedError) -> str | None:
    known = getattr(form, "service_fields", {})
    name = known.get(error.field, error.field)
    return name if name in form.fields else None


def tell_refusal(request: HttpRequest, form: forms.Form) -> None:
    """This function will tell what a service refused where the page does not show the form any more."""
    for text in form.non_field_errors():
        messages.error(request, str(text))


def perform(request: HttpRequest, action: Callable[[], object], *, done: str, next_url: str) -> HttpResponse:
    """This function will call the service of a button and tell how it went on the next page (`done` may be empty)."""
    try:
        action()
    except (NotVisible, NotPermitted):
        raise
    except AnticipatedError as error:
        messages.error(request, error.user_message)
    else:
        if done:
            messages.info(request, done)
    return htmx.redirect(request, next_url)
