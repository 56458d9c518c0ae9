"""Forms whose fields are checked as they are left: the browser posts the form with the field's name in a header, and gets
that field's errors instead of what the form does."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

HEADER = "X-Check-Field"
_asked: ContextVar[str | None] = ContextVar("field_to_check", default=None)


class FieldChecked(Exception):
    """Only a check was asked for: the view must not go on to do what the form is for."""

    def __init__(self, form: CheckedForm) -> None:
        super().__init__("Only a check was asked for.")
        self.form = form


class CheckedForm(forms.Form):
    """A view calls `is_valid` before it does anything; when only a check was asked for, that call does not return."""

    def is_valid(self) -> bool:
        if _asked.get() is not None and self.is_bound:
            raise FieldChecked(self)
        return super().is_valid()


class FieldCheckMiddleware:
    """Answers a check with the errors of the one field, which are empty when it is right."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _asked.set(request.headers.get(HEADER) if request.method == "POST" else None)
        try:
            return self.get_response(request)
        finally:
            _asked.reset(token)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, FieldChecked):
            return None
        field = next((field for field in exception.form if field.html_name == _asked.get()), None)
        return HttpResponse(render_to_string("components/_field_errors.html", {"field": field}) if field else "")
