"""The rules behind exceptions: shipped ones and the partner's own, in one form, with a look at what they would find."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.canonical.models import Entity
from apps.core import clock
from apps.core.errors import AnticipatedError
from apps.monitoring.models import ExceptionRule
from apps.monitoring.selectors import Standing, get_rule, list_exceptions, list_rules, standing_by
from apps.monitoring.services import add_rule, draft_of, preview_rule, remove_rule, save_rule, switch_rule
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.forms.exceptions import RuleForm, vocabulary_of
from apps.partner_portal.lists.exceptions import stakes_text
from apps.ui import htmx
from apps.ui.markup import text_of
from apps.ui.status import Status, Tone
from apps.ui.tables import Column, build_table

ON, OFF = Status("On", Tone.OK, "circle-check"), Status("Off", Tone.IDLE, "circle-dashed")


@require_GET
@requires(Audience.STAFF, "exceptions.view")
def show_rules(request: ActorRequest) -> HttpResponse:
    standings = standing_by(list_exceptions(request.actor).needing_somebody(clock.now()), "rule_id")
    columns = (
        Column("name", "Rule", sub=_summary, main=True),
        Column("entity", "About", "tag", value=lambda rule: rule.get_entity_display()),
        Column("state", "State", "status", value=lambda rule: ON if rule.is_enabled else OFF),
        Column("open", "Open", "number", value=lambda rule: _of(standings, rule).count),
        Column("stake", "At stake", "number", draw=text_of, value=lambda rule: stakes_text(_of(standings, rule).stakes)),
        Column("oldest", "Oldest since", "datetime", value=lambda rule: _of(standings, rule).oldest, wide_only=True),
        Column("origin", "Made by", value=lambda rule: "Shipped" if rule.is_shipped else rule.changed_by_label, wide_only=True),
    )  # fmt: skip
    table = build_table(
        list_rules(request.actor), columns, caption="Rules", noun="rules",
        url=lambda rule: reverse("partner_portal:exception_rule", args=[rule.key]),
    )  # fmt: skip
    context = {"table": table, "crumbs": [("Exceptions", reverse("partner_portal:exceptions"))]}
    return render(request, "partner_portal/exception_rules.html", context)


def _summary(rule: ExceptionRule) -> str:
    days = f"within {rule.within_days} day{'' if rule.within_days == 1 else 's'}" if rule.within_days else "at once"
    return f"{rule.description or rule.condition} · {days}"


def _of(standings: dict[UUID, Standing], rule: ExceptionRule) -> Standing:
    return standings.get(rule.pk, Standing())


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def add(request: ActorRequest) -> HttpResponse:
    form = RuleForm(request.POST or None)
    if request.method == "POST":
        made = submit(form, lambda given: add_rule(actor=request.actor, now=clock.now(), draft=form.draft(given)))
        if made is not None:
            return htmx.redirect(request, reverse("partner_portal:exception_rules"))
    return _render(request, form, None, _kind_in(request))


def _kind_in(request: ActorRequest) -> str:
    """The kind of record that the form shows as chosen."""
    asked = str((request.POST or request.GET).get("entity", ""))
    return asked if asked in Entity.values else str(Entity.values[0])


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "exceptions.view")
def edit(request: ActorRequest, rule_key: str) -> HttpResponse:
    rule = get_rule(request.actor, rule_key)
    form = RuleForm(request.POST or None, entity=rule.entity, initial=draft_of(rule).values())
    if request.method == "POST":
        request.actor.require("integrations.manage")
        saved = submit(
            form,
            lambda given: save_rule(actor=request.actor, now=clock.now(), key=rule.key, draft=form.draft(given)),
        )
        if saved is not None:
            return htmx.redirect(request, reverse("partner_portal:exception_rules"))
    return _render(request, form, rule, rule.entity)


def _render(request: ActorRequest, form: RuleForm, rule: ExceptionRule | None, entity: str) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form, "rule": rule, "vocabulary": vocabulary_of(entity), "entity": Entity(entity).label,
        "may_change": request.actor.can("integrations.manage"),
        "crumbs": [
            ("Exceptions", reverse("partner_portal:exceptions")), ("Rules", reverse("partner_portal:exception_rules")),
        ],
    }  # fmt: skip
    return render(request, "partner_portal/exception_rule.html", context)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def preview(request: ActorRequest) -> HttpResponse:
    """What the rule as it stands in the form would hold open today; nothing is saved."""
    form = RuleForm(request.POST)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        try:
            found = preview_rule(actor=request.actor, now=clock.now(), draft=form.draft(form.cleaned_data))
        except AnticipatedError as error:
            context["refusal"] = error.user_message
        else:
            context |= {"found": found, "stakes": stakes_text(found.stakes)}
    else:
        context["refusal"] = " ".join(str(error) for errors in form.errors.values() for error in errors)
    return render(request, "partner_portal/_exception_preview.html", context)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def switch(request: ActorRequest, rule_key: str) -> HttpResponse:
    rule = get_rule(request.actor, rule_key)
    return perform(
        request,
        lambda: switch_rule(actor=request.actor, now=clock.now(), key=rule.key, is_enabled=not rule.is_enabled),
        done=f"{rule.name} is off; what it opened is being resolved." if rule.is_enabled else f"{rule.name} is on.",
        next_url=reverse("partner_portal:exception_rules"),
    )


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def remove(request: ActorRequest, rule_key: str) -> HttpResponse:
    rule = get_rule(request.actor, rule_key)
    return perform(
        request,
        lambda: remove_rule(actor=request.actor, now=clock.now(), key=rule.key),
        done="The rule is as shipped again." if rule.is_shipped else "The rule and what it found are gone.",
        next_url=reverse("partner_portal:exception_rules"),
    )
