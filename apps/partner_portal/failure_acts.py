"""What can be done about failures, one or a whole cause, and who did what already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.urls import reverse

from apps.accounts.access import ActorRequest
from apps.core import clock
from apps.core.errors import NotVisible
from apps.partner_portal.forms.errors import NOBODY, AssignForm, IgnoreForm, SnoozeForm
from apps.partner_portal.lists.errors import STATES, in_state
from apps.partner_portal.needs import count_of
from apps.sync.desk import Standing, list_notes
from apps.sync.models import NoteKind, RecordFailure
from apps.sync.services import assign_failures, ignore_failures, reopen_failures, snooze_failures, wake_failures

FORMS: dict[str, type[forms.Form]] = {"assign": AssignForm, "snooze": SnoozeForm, "ignore": IgnoreForm}
_ICONS = {
    NoteKind.COMMENT: "message", NoteKind.ASSIGNED: "user", NoteKind.SNOOZED: "clock", NoteKind.IGNORED: "eye-off",
    NoteKind.EDITED: "pencil", NoteKind.RETRIED: "refresh",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """A button, with its form where something has to be said."""

    key: str
    label: str
    url: str
    form: forms.Form | None = None


@dataclass(frozen=True, slots=True)
class NoteEntry:
    title: str
    body: str
    actor: str
    at: datetime
    icon: str
    tone: str = "idle"


def find_group(request: ActorRequest, fingerprint: str) -> tuple[QuerySet[RecordFailure], str]:
    """The failures of one cause in the state the address names, of one customer alone when it says so."""
    failures: QuerySet[RecordFailure] = RecordFailure.objects.visible_to(request.actor).filter(fingerprint=fingerprint)
    kept = []
    customer, state = request.GET.get("customer", ""), request.GET.get("state", "")
    if customer:
        try:
            failures = failures.filter(customer_id=UUID(customer))
        except ValueError:
            raise NotVisible("There is no such customer.") from None
        kept.append(f"customer={customer}")
    if state in dict(STATES):
        kept.append(f"state={state}")
    found = in_state(failures, state)
    return found.select_related("customer", "connection", "flow__integration"), "&".join(kept)


def acts_on(
    request: ActorRequest, standing: Standing, route: str, key: object, scope: str
) -> list[Act]:  # fmt: skip
    """What the person may do about them in the state they are in."""
    if not request.actor.can("errors.resolve"):
        return []
    acts: list[tuple[str, str]] = []
    if standing.unsolved:
        acts += [("assign", "Assign"), ("snooze", "Snooze")]
        if route == "error_group_act":
            acts.append(("ignore", "Ignore"))
        if standing.snoozed:
            acts.append(("wake", "Bring back now"))
    if standing.ignored:
        acts.append(("reopen", "Reopen"))
    query = f"?{scope}" if scope else ""
    return [
        Act(
            act, label, reverse(f"partner_portal:{route}", args=[key, act]) + query,
            FORMS[act](auto_id=f"{act}_%s") if act in FORMS else None,
        )
        for act, label in acts
    ]  # fmt: skip


def carry_out(request: ActorRequest, act: str, failures: QuerySet[RecordFailure], given: dict[str, Any]) -> str:
    """This function will call the act's service; returns what happened, for people. Raises NotVisible for unknown acts."""
    common: dict[str, Any] = {"actor": request.actor, "now": clock.now(), "failures": failures}
    if act == "assign":
        person = given["assignee"]
        count = assign_failures(**common, assignee_id=None if person == NOBODY else UUID(person))
        return f"{count_of(count, 'record')} assigned."
    if act == "snooze":
        return f"{count_of(snooze_failures(**common, **given), 'record')} snoozed."
    if act == "ignore":
        count = ignore_failures(**common, reason=given["reason"])
        return f"{count_of(count, 'record')} left alone, for as long as the cause is the same."
    if act == "wake":
        return f"{count_of(wake_failures(**common), 'record')} brought back."
    if act == "reopen":
        return f"{count_of(reopen_failures(**common), 'record')} reopened."
    raise NotVisible("There is no such action.")


def notes_of(request: ActorRequest, failure: RecordFailure) -> list[NoteEntry]:
    return [
        NoteEntry(
            str(note.get_kind_display()), note.text, note.by_label, note.at, _ICONS.get(NoteKind(note.kind), "point")
        )
        for note in list_notes(request.actor, failure)[:100]
    ]
