"""What the log keeps, and for how long."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.models import Connection
from apps.connectors.selectors import get_connection
from apps.core import clock
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.views.settings_tabs import settings_tabs
from apps.sync.models import LogClass, LogSettings
from apps.sync.retention import LEAST_DAYS, MOST_DAYS, OUTCOMES, days_of
from apps.sync.services import keep_connection_payloads, update_log_settings
from apps.sync.services.keeping import find_log_settings, stamp_of
from apps.ui import htmx

SHOWN_PURGES = 5
_OUTCOME_LABELS = {"success": "when all went well", "failure": "when something failed"}


class LogSettingsForm(forms.Form):
    service_fields: ClassVar = {"hidden_fields": "hidden"}  # Django's forms have a method of that name
    keeps_payloads = forms.BooleanField(
        label="Keep field values", required=False,
        help_text="Without them the log tells which fields changed, never from what to what.",
    )  # fmt: skip
    hidden = forms.CharField(
        label="Hidden fields", required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "class": "form-control mono"}),
        help_text="One a line: email, *phone*, contact.name. Their values are never written to the log. “title” hides the "
        "names of records in it. Passwords, tokens, bank accounts and card numbers are always hidden.",
    )  # fmt: skip

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, kept: LogSettings, data: Any = None) -> None:
        days = days_of(kept.days)
        start: dict[str, object] = {
            "keeps_payloads": kept.keeps_payloads, "hidden": "\n".join(kept.hidden_fields), "seen": stamp_of(kept),
            **{f"{name}_{outcome}": days[name][outcome] for name in days for outcome in OUTCOMES},
        }  # fmt: skip
        super().__init__(data, initial=start)
        for name, label in LogClass.choices:
            for outcome in OUTCOMES:
                self.fields[f"{name}_{outcome}"] = forms.IntegerField(
                    label=f"{label}, {_OUTCOME_LABELS[outcome]}",
                    min_value=LEAST_DAYS.get(name, 1),
                    max_value=MOST_DAYS,
                )

    @property
    def table(self) -> list[tuple[str, list[tuple[str, forms.BoundField]]]]:
        return [
            (label, [(_OUTCOME_LABELS[outcome], self[f"{name}_{outcome}"]) for outcome in OUTCOMES])
            for name, label in LogClass.choices
        ]

    def days(self) -> dict[str, dict[str, int]]:
        return {
            str(name): {outcome: self.cleaned_data[f"{name}_{outcome}"] for outcome in OUTCOMES} for name in LogClass
        }


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "security.manage")
def edit_log_settings(request: ActorRequest) -> HttpResponse:
    kept = find_log_settings()
    form = LogSettingsForm(kept, request.POST or None)
    if request.method == "POST":
        saved = submit(
            form,
            lambda data: update_log_settings(
                actor=request.actor, now=clock.now(), hidden_fields=data["hidden"].splitlines(),
                keeps_payloads=data["keeps_payloads"], days=form.days(), seen=data["seen"],
            ),
        )  # fmt: skip
        if saved is not None:
            messages.info(request, "Saved. It holds for what is logged from now on; what is too old goes shortly.")
            return htmx.redirect(request, reverse("partner_portal:log_settings"))
    context = {
        "form": form, "tabs": settings_tabs(request, "log_settings"), "purges": [_told(purge) for purge in kept.purges[:SHOWN_PURGES]],
        "without": _without(request, kept), "outcomes": list(_OUTCOME_LABELS.values()),
    }  # fmt: skip
    return render(request, "partner_portal/log_settings.html", context)


def _told(purge: dict[str, Any]) -> dict[str, Any]:
    labels = dict(LogClass.choices)
    counts = dict.fromkeys(labels, 0)
    for place, count in purge["counts"].items():
        counts[place.partition(".")[0]] += count
    gone = [f"{count:,} {labels[name].partition(':')[0].lower()}" for name, count in counts.items() if count]
    return {"at": purge["at"], "text": ", ".join(gone) or "nothing was old enough"}


def _without(request: ActorRequest, kept: LogSettings) -> list[Connection]:
    chosen = Connection.objects.visible_to(request.actor).filter(pk__in=kept.payload_free_connections)
    return list(chosen.select_related("customer").order_by("customer__name", "name", "id"))


@require_POST
@requires(Audience.STAFF, "security.manage")
def change_connection_payloads(request: ActorRequest, connection_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    is_kept = request.POST.get("keep") == "1"
    return perform(
        request,
        lambda: keep_connection_payloads(actor=request.actor, now=clock.now(), connection=connection, is_kept=is_kept),
        done="Field values are kept from now on." if is_kept else "No field values are kept from now on.",
        next_url=reverse("partner_portal:connection", args=[connection.pk]),
    )
