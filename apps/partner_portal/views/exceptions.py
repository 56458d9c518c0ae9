"""Business exceptions: what should have followed and has not, what it is worth, and who looks after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.customers.selectors import get_customer
from apps.monitoring.models import BusinessException, ExceptionStatus
from apps.monitoring.selectors import get_exception, list_acts, list_exceptions
from apps.monitoring.services import (
    assign_exception,
    ignore_exception,
    reopen_exception,
    snooze_exception,
    wake_exception,
)
from apps.partner_portal.actions import perform
from apps.partner_portal.customer_page import render_tab
from apps.partner_portal.forms.errors import NOBODY
from apps.partner_portal.forms.exceptions import FORMS, SnoozeForm
from apps.partner_portal.lists.exceptions import exception_status, exceptions_context
from apps.ui import htmx

_ACTS = {
    "exception.assigned": ("Assigned", "user"), "exception.snoozed": ("Snoozed", "clock"),
    "exception.woken": ("Brought back", "clock"), "exception.ignored": ("Ignored", "eye-off"),
    "exception.reopened": ("Taken up again", "refresh"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActEntry:
    """One line of the timeline component."""

    title: str
    body: str
    actor: str
    at: datetime
    icon: str
    tone: str = "idle"


@require_GET
@requires(Audience.STAFF, "exceptions.view")
def show_exceptions(request: ActorRequest) -> HttpResponse:
    context = exceptions_context(request, list_exceptions(request.actor), across=True)
    if isinstance(context, HttpResponse):
        return context
    return htmx.render_page(request, "partner_portal/exceptions.html", "partner_portal/_exception_rows.html", context)


@require_GET
@requires(Audience.STAFF, "exceptions.view")
def show_customer_exceptions(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    own = list_exceptions(request.actor).for_customer(customer)
    context = exceptions_context(request, own, across=False)
    if isinstance(context, HttpResponse):
        return context
    return render_tab(request, customer, "customer_exceptions", context, partial="_exception_rows.html")


@require_GET
@requires(Audience.STAFF, "exceptions.view")
def show_exception(request: ActorRequest, exception_id: UUID) -> HttpResponse:
    exception, now = get_exception(request.actor, exception_id), clock.now()
    context = {
        "exception": exception, "rule": exception.rule, "status": exception_status(exception, now),
        "is_snoozed": exception.is_snoozed(now), "acts": _acts_on(request, exception, now),
        "entries": [_entry(event) for event in list_acts(request.actor, exception)[:50]],
        "may_read": request.actor.can("records.view"),
        "crumbs": [("Exceptions", reverse("partner_portal:exceptions"))],
    }  # fmt: skip
    return render(request, "partner_portal/exception.html", context)


def _acts_on(request: ActorRequest, exception: BusinessException, now: datetime) -> list[dict[str, Any]]:
    if not request.actor.can("exceptions.resolve") or exception.status == ExceptionStatus.RESOLVED:
        return []
    if exception.status == ExceptionStatus.IGNORED:
        wanted = [("reopen", "Take it up again"), ("assign", "Assign")]
    else:
        last = ("wake", "Bring back now") if exception.is_snoozed(now) else ("snooze", "Snooze")
        wanted = [("assign", "Assign"), last, ("ignore", "Ignore")]
    return [
        {
            "label": label, "url": reverse("partner_portal:exception_act", args=[exception.pk, key]),
            "form": FORMS[key](auto_id=f"{key}_%s") if key in FORMS else None,
        }
        for key, label in wanted
    ]  # fmt: skip


def _entry(event: Any) -> ActEntry:
    title, icon = _ACTS.get(event.action, (event.action, "edit"))
    said = event.after or {}
    body = str(said.get("reason") or said.get("to") or (f"until {said['until'][:10]}" if "until" in said else ""))
    return ActEntry(title, body, event.actor_label, event.at, icon)


@require_POST
@requires(Audience.STAFF, "exceptions.resolve")
def act(request: ActorRequest, exception_id: UUID, exception_act: str) -> HttpResponse:
    exception = get_exception(request.actor, exception_id)
    own = reverse("partner_portal:exception", args=[exception.pk])
    form = FORMS[exception_act](request.POST) if exception_act in FORMS else None
    if exception_act not in (*FORMS, "wake", "reopen"):
        raise Http404
    if form is not None and not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return htmx.redirect(request, own)
    return perform(request, lambda: _carry_out(request, exception, exception_act, form), done="", next_url=own)


def _carry_out(request: ActorRequest, exception: BusinessException, name: str, form: forms.Form | None) -> object:
    common: dict[str, Any] = {"actor": request.actor, "now": clock.now(), "exception": exception}
    if name == "assign" and form is not None:
        chosen = form.cleaned_data["assignee"]
        return assign_exception(**common, assignee_id=None if chosen == NOBODY else UUID(chosen))
    if isinstance(form, SnoozeForm):
        return snooze_exception(**common, until=form.until(common["now"]))
    if name == "ignore" and form is not None:
        return ignore_exception(**common, reason=form.cleaned_data["reason"])
    return wake_exception(**common) if name == "wake" else reopen_exception(**common)
