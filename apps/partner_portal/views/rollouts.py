"""Bringing a template version to customers: the plan, the start, the progress, and what people decide on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.sdk.errors import ConnectorError
from apps.core import clock
from apps.core.errors import AnticipatedError, NotVisible
from apps.core.visible import get_visible
from apps.customers.models import Environment
from apps.flows.definition import parse_template
from apps.flows.models import IntegrationTemplateVersion, RolloutMember, TemplateRollout
from apps.flows.selectors import get_integration, get_rollout, get_rollout_member, get_template
from apps.flows.services.upgrades import UpgradePlan, plan_upgrade
from apps.partner_portal.actions import perform
from apps.sync.services import (
    answer_member,
    cancel_rollout,
    resume_rollout,
    roll_back,
    roll_back_member,
    skip_member,
    start_rollout,
    try_template,
    try_upgrade,
)
from apps.sync.services.rollouts import candidates
from apps.ui import htmx
from apps.ui.text_differences import compare_texts

MOST_PLANNED = 200
TRIED_RECORDS = 20


@dataclass(frozen=True)
class Planned:
    """One customer's row of the plan: `answers` is what the form gave for its questions."""

    plan: UpgradePlan
    chosen: bool


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "templates.manage")
def plan_rollout(request: ActorRequest, version_id: UUID) -> HttpResponse:
    version = get_template(version_id)
    fleet = candidates(request.actor, version)[:MOST_PLANNED]
    posted = request.POST if request.method == "POST" else None
    answers = {one.pk: _answers(request, str(one.pk)) for one in fleet}
    planned = [
        Planned(plan_upgrade(one, version, answers[one.pk]), posted is None or f"take-{one.pk}" in posted)
        for one in fleet
    ]
    problem = ""
    if posted is not None:
        taken = [row.plan.integration for row in planned if row.chosen]
        try:
            rollout = start_rollout(
                actor=request.actor, now=clock.now(), version=version, integrations=taken,
                stages=_stages(posted.get("stages", ""), len(taken)), answers=answers,
            )  # fmt: skip
        except AnticipatedError as error:
            problem = error.user_message
        else:
            messages.info(request, f"The rollout of {version.number} has begun.")
            return htmx.redirect(request, reverse("partner_portal:rollout", args=[rollout.pk]))
    context = {
        "version": version, "planned": planned, "problem": problem, "crumbs": _crumbs(version),
        "stages": posted.get("stages", "") if posted is not None else "1, 10%",
    }  # fmt: skip
    return render(request, "partner_portal/rollout_plan.html", context, status=422 if problem else 200)


def _answers(request: ActorRequest, key: str) -> dict[str, str]:
    prefix = f"answer-{key}-"
    found = {name.removeprefix(prefix): str(value) for name, value in request.POST.items() if name.startswith(prefix)}
    return {name: value for name, value in found.items() if value.strip()}


def _stages(text: str, total: int) -> list[int]:
    """`1, 10%`: counts, or shares of all, at least one each; what is not a number is none, and refused."""
    found = []
    for part in text.replace(";", ",").split(","):
        word = part.strip()
        if not word:
            continue
        number = word.removesuffix("%").strip()
        count = int(number) if number.isdigit() and len(number) <= 6 else 0
        found.append(max(1, total * count // 100) if word.endswith("%") and count else count)
    return found


@require_GET
@requires(Audience.STAFF, "templates.manage")
def show_rollout(request: ActorRequest, rollout_id: UUID) -> HttpResponse:
    rollout = get_rollout(request.actor, rollout_id)
    members = list(
        RolloutMember.objects.visible_to(request.actor)
        .filter(rollout=rollout)
        .select_related("integration", "customer", "environment")
        .order_by("stage", "id")
    )
    context = {
        "rollout": rollout, "version": rollout.version, "crumbs": _crumbs(rollout.version),
        "stages": _by_stage(rollout, members), "done": sum(m.status in ("done", "skipped") for m in members),
        "total": len(members), "asked": _asked(rollout, members), "title": f"Rollout of {rollout.version.number}",
        "is_busy": rollout.status in ("running", "rolling_back"),
    }  # fmt: skip
    return htmx.render_page(request, "partner_portal/rollout.html", "partner_portal/_rollout.html", context)


def _by_stage(rollout: TemplateRollout, members: list[RolloutMember]) -> list[dict[str, Any]]:
    return [
        {
            "title": f"Stage {index + 1}{', now' if index == rollout.stage and rollout.status == 'running' else ''}",
            "members": [member for member in members if member.stage == index],
        }
        for index in range(len(rollout.stages))
    ]  # fmt: skip


def _asked(rollout: TemplateRollout, members: list[RolloutMember]) -> dict[UUID, list[Any]]:
    """The settings that stand open, by member."""
    known = {spec.key: spec for spec in parse_template(rollout.version.definition).settings}
    waiting = [member for member in members if member.status == "needs_review"]
    for member in waiting:
        plan = plan_upgrade(get_integration_of(member), rollout.version, member.answers)
        member.asked = [known[setting.key] for setting in plan.asked]  # type: ignore[attr-defined]
    return {member.pk: member.asked for member in waiting}  # type: ignore[attr-defined]


def get_integration_of(member: RolloutMember) -> Any:
    related = type(member.integration).objects.select_related("template_version", "environment", "customer")
    return related.get(pk=member.integration_id)


_STEPS: dict[str, tuple[Callable[..., Any], str]] = {
    "resume": (resume_rollout, "The rollout goes on."),
    "cancel": (cancel_rollout, "The rollout is ended. Who has the version keeps it."),
    "back": (roll_back, "Everybody gets back what they had before."),
}
_MEMBER_STEPS: dict[str, tuple[Callable[..., Any], str]] = {
    "back": (roll_back_member, "This customer has the version from before again."),
    "skip": (skip_member, "The rollout does not wait for this customer."),
}


@require_POST
@requires(Audience.STAFF, "templates.manage")
def change_rollout(request: ActorRequest, rollout_id: UUID, rollout_step: str) -> HttpResponse:
    if rollout_step not in _STEPS:
        raise NotVisible("There is no such step.")
    rollout = get_rollout(request.actor, rollout_id)
    service, done = _STEPS[rollout_step]
    return perform(
        request,
        lambda: service(actor=request.actor, now=clock.now(), rollout=rollout),
        done=done,
        next_url=reverse("partner_portal:rollout", args=[rollout.pk]),
    )


@require_POST
@requires(Audience.STAFF, "templates.manage")
def change_member(request: ActorRequest, member_id: UUID, rollout_step: str) -> HttpResponse:
    member = get_rollout_member(request.actor, member_id)
    page = reverse("partner_portal:rollout", args=[member.rollout_id])
    if rollout_step == "answer":
        answers = _answers(request, str(member.pk))
        return perform(
            request,
            lambda: answer_member(actor=request.actor, now=clock.now(), member=member, answers=answers),
            done="Taken up.",
            next_url=page,
        )
    if rollout_step not in _MEMBER_STEPS:
        raise NotVisible("There is no such step.")
    service, done = _MEMBER_STEPS[rollout_step]
    return perform(
        request, lambda: service(actor=request.actor, now=clock.now(), member=member), done=done, next_url=page
    )


@require_GET
@requires(Audience.STAFF, "integrations.manage")
def preview_upgrade(request: ActorRequest, integration_id: UUID, version_id: UUID) -> HttpResponse:
    """What a version would change in one integration."""
    integration, version = get_integration(request.actor, integration_id), get_template(version_id)
    plan = plan_upgrade(integration, version)
    changes = [(change, compare_texts(change.before, change.after)) for change in plan.flows]
    context = {
        "integration": integration, "version": version, "plan": plan, "changes": changes, "crumbs": _crumbs(version),
        "title": f"{integration.customer.name}: {version.number}",
    }  # fmt: skip
    return render(request, "partner_portal/upgrade.html", context)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def try_version(request: ActorRequest, version_id: UUID) -> HttpResponse:
    """A dry run of a version, published or not, on real records of an integration or of a customer's systems."""
    version = get_template(version_id)
    context: dict[str, Any] = {"version": version}
    try:
        context["result"] = _tried(request, version)
    except ConnectorError as error:
        context["refusal"] = error.message
    except AnticipatedError as error:
        context["refusal"] = error.user_message
    return render(request, "partner_portal/_dry_run.html", context)


def _tried(request: ActorRequest, version: IntegrationTemplateVersion) -> Any:
    where = request.POST.get("where", "")
    kind, _, key = where.partition(":")
    try:
        found = UUID(key)
    except ValueError:
        raise NotVisible("Choose where to try it.") from None
    if kind == "integration":
        integration = get_integration(request.actor, found)
        return try_upgrade(
            actor=request.actor, now=clock.now(), integration=integration, version=version, limit=TRIED_RECORDS
        )
    places = Environment.objects.visible_to(request.actor).select_related("customer")
    environment = get_visible(places, found, "There is no such customer.")
    return try_template(
        actor=request.actor, now=clock.now(), version=version, environment=environment, limit=TRIED_RECORDS
    )


def _crumbs(version: IntegrationTemplateVersion) -> list[tuple[str, str]]:
    return [
        ("Catalogue", reverse("partner_portal:catalogue")),
        (str(version), reverse("partner_portal:template", args=[version.pk])),
    ]
