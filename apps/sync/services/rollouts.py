"""Bringing a template version to customers: stage by stage, watching each one's first runs, and back again.

A member gets the version, its flows run at once, and the next stage waits until they ended well. The rollout halts at the
first that failed or left more records on the error desk than before. It is carried out by work items; the rows say how far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.audit.services import record_change
from apps.core.actor import Actor, system_actor
from apps.core.errors import AnticipatedError, NotPermitted
from apps.customers.askers import RightsGone, note_asker, present_asker
from apps.dispatch.services import complete, reschedule, schedule
from apps.flows.models import (
    Flow,
    Integration,
    IntegrationStatus,
    IntegrationTemplateVersion,
    MemberStatus,
    RolloutMember,
    RolloutStatus,
    TemplateRollout,
    VersionStatus,
)
from apps.flows.services.integrations import FLOW_DUE_KIND
from apps.flows.services.publishing import lock_integration, publish_state, reset_layer
from apps.flows.services.upgrades import plan_upgrade, upgrade_integration
from apps.flows.sources import number_key
from apps.flows.states import state_of_revision
from apps.sync.models import FailureStatus, RecordFailure, RunStatus, RunTrigger, SyncRun
from apps.sync.services.runs import queue_run

ROLLOUT_KIND = "sync.rollout"
LOOK_AGAIN = timedelta(seconds=15)
PATIENCE = timedelta(hours=2)
OPEN = (RolloutStatus.RUNNING, RolloutStatus.HALTED, RolloutStatus.ROLLING_BACK)
SOMEBODY_ELSE = "Go on with it, or have it go back, in your own name."
APPLIED = (MemberStatus.WATCHED, MemberStatus.DONE, MemberStatus.FAILED)


class UnableToRollOut(AnticipatedError):
    """The version, the customers or the stages cannot be; `field` says which."""


def candidates(actor: Actor, version: IntegrationTemplateVersion) -> list[Integration]:
    """Integrations of the template that have an earlier version: sandboxes first, then by customer."""
    deployed = Integration.objects.visible_to(actor).filter(template_version__template_id=version.template_id)
    related = deployed.exclude(status=IntegrationStatus.RETIRED).select_related(
        "customer", "environment", "template_version"
    )
    own = number_key(version.number)
    found = [one for one in related if number_key(one.template_version.number) < own]
    return sorted(found, key=lambda one: (one.environment.kind != "sandbox", one.customer.name, one.name, one.pk))


@transaction.atomic
def start_rollout(
    *,
    actor: Actor,
    now: datetime,
    version: IntegrationTemplateVersion,
    integrations: Sequence[Integration],
    stages: Sequence[int],
    answers: Mapping[UUID, Mapping[str, Any]] | None = None,
) -> TemplateRollout:
    """This function will begin a rollout in the given order; `stages` are counts, what is left over is the last one.

    An integration that needs an answer which is not there waits for it, and holds nobody up. Raises UnableToRollOut.
    """
    require_partner(actor)
    if version.status != VersionStatus.PUBLISHED:
        raise UnableToRollOut("Only a published version can be rolled out.")
    if not integrations:
        raise UnableToRollOut("Choose at least one customer.", field="integrations")
    if len({one.pk for one in integrations}) < len(integrations):
        raise UnableToRollOut("An integration is named twice.", field="integrations")
    counts = _counts(stages, len(integrations))
    try:
        with transaction.atomic():
            rollout = TemplateRollout.objects.create(
                version=version,
                stages=counts,
                started_at=now,
                started_by_label=actor.label,
                asked_by=note_asker(actor),
            )
    except IntegrityError:
        raise UnableToRollOut("This version is being rolled out already.") from None
    places = [stage for stage, count in enumerate(counts) for _ in range(count)]
    for stage, integration in zip(places, integrations, strict=True):
        _add_member(rollout, integration, stage, dict((answers or {}).get(integration.pk, {})))
    audit_rollout(actor, now, rollout, "rollout.started")
    schedule(kind=ROLLOUT_KIND, key=str(rollout.pk), due_at=now)
    return rollout


def _counts(stages: Sequence[int], total: int) -> list[int]:
    found: list[int] = []
    for count in stages:
        if count < 1:
            raise UnableToRollOut("A stage has at least one customer.", field="stages")
        found.append(min(count, total - sum(found)))
    left = total - sum(found)
    return [count for count in [*found, left] if count]


def _add_member(rollout: TemplateRollout, integration: Integration, stage: int, answers: dict[str, Any]) -> None:
    if integration.template_version.template_id != rollout.version.template_id:
        raise UnableToRollOut(f"{integration} is deployed from another template.", field="integrations")
    plan = plan_upgrade(integration, rollout.version, answers)
    RolloutMember.objects.create(
        rollout=rollout, integration=integration, customer_id=integration.customer_id,
        environment_id=integration.environment_id, stage=stage, answers=answers,
        status=MemberStatus.NEEDS_ANSWER if plan.problems else MemberStatus.WAITING,
        message=" ".join(plan.problems)[:500],
    )  # fmt: skip


def advance_rollout(*, rollout_id: UUID, now: datetime) -> TemplateRollout:
    """This function will carry the rollout as far as it goes now, and look again later while there is more to come."""
    while _take_next(rollout_id, now):
        pass
    with transaction.atomic():
        rollout = TemplateRollout.objects.select_for_update().get(pk=rollout_id)
        _look_at_runs(rollout, now)
        _move_on(rollout, now)
        is_busy = rollout.status in (RolloutStatus.RUNNING, RolloutStatus.ROLLING_BACK)
        if is_busy and _has_more(rollout):
            # The next stage has members that wait: begin with them at once.
            is_waiting = _next_member(rollout) is not None
            reschedule(kind=ROLLOUT_KIND, key=str(rollout.pk), due_at=now if is_waiting else now + LOOK_AGAIN)
        else:
            complete(kind=ROLLOUT_KIND, key=str(rollout.pk))
        return rollout


@transaction.atomic
def _take_next(rollout_id: UUID, now: datetime) -> bool:
    """One member by itself, so that what was done stays done; False when none is left for now."""
    rollout = TemplateRollout.objects.select_for_update().get(pk=rollout_id)
    member = _next_member(rollout)
    if member is None or not _is_carried(rollout, now):
        return False
    if rollout.status == RolloutStatus.ROLLING_BACK:
        give_back(_carrier(rollout), now, member)
    else:
        _apply(rollout, member, now)
    return True


def _is_carried(rollout: TemplateRollout, now: datetime) -> bool:
    """Whether whoever asked for this may still do it. If not the rollout halts, for somebody else to go on with."""
    try:
        asker = present_asker(rollout.asked_by, now=now, permissions=["templates.manage"])
        require_partner(asker)
    except (RightsGone, NotPermitted) as error:
        rollout.status, rollout.halt_reason = RolloutStatus.HALTED, f"{error.user_message} {SOMEBODY_ELSE}"
        rollout.save(update_fields=["status", "halt_reason"])
        return False
    return True


def _next_member(rollout: TemplateRollout) -> RolloutMember | None:
    members = rollout.members.select_related("integration", "before", "after").order_by("stage", "id")
    if rollout.status == RolloutStatus.ROLLING_BACK:
        return members.filter(status__in=APPLIED, after__isnull=False).first()
    if rollout.status == RolloutStatus.RUNNING:
        return members.filter(status=MemberStatus.WAITING, stage__lte=rollout.stage).first()
    return None


def _apply(rollout: TemplateRollout, member: RolloutMember, now: datetime) -> None:
    integration = member.integration
    member.open_failures, member.changed_at = count_open_failures(integration), now
    try:
        with transaction.atomic():
            member.after = upgrade_integration(
                actor=_carrier(rollout), now=now, integration=integration, version=rollout.version,
                answers=member.answers, note=f"Rollout of {rollout.version.number}",
            )  # fmt: skip
    except AnticipatedError as error:
        is_question = bool(error.field)
        member.status = MemberStatus.NEEDS_ANSWER if is_question else MemberStatus.FAILED
        member.message = error.user_message[:500]
        member.save()
        if not is_question:
            _halt(rollout, member)
        return
    earlier = integration.revisions.filter(number__lt=member.after.number, published_at__isnull=False)
    member.before = earlier.order_by("-number").first()
    is_live = integration.status == IntegrationStatus.LIVE
    member.status, member.message = MemberStatus.WATCHED if is_live else MemberStatus.DONE, ""
    member.save()
    if is_live:
        run_all(member, now)


def run_all(member: RolloutMember, now: datetime) -> None:
    """The flows run now, whatever starts them otherwise: nobody waits a night to know."""
    flows = Flow.objects.filter(integration=member.integration, is_enabled=True).select_related("current_version")
    for flow in flows:
        if _first_run(member, flow) is None:
            queue_run(flow=flow, trigger=RunTrigger.MANUAL, label="Rollout", now=now)
            schedule(kind=FLOW_DUE_KIND, key=str(flow.pk), due_at=now)


def _first_run(member: RolloutMember, flow: Flow) -> SyncRun | None:
    """The flow's first run with the new version that ended on its own."""
    since = SyncRun.objects.filter(flow=flow, queued_at__gte=member.changed_at, finished_at__isnull=False)
    ended = since.filter(flow_version_id=flow.current_version_id).exclude(status=RunStatus.CANCELED)
    return ended.order_by("id").first()


def _look_at_runs(rollout: TemplateRollout, now: datetime) -> None:
    if rollout.status != RolloutStatus.RUNNING:
        return
    watched = rollout.members.filter(status=MemberStatus.WATCHED).select_related("integration", "customer")
    for member in watched.order_by("id"):
        flows = list(Flow.objects.filter(integration=member.integration, is_enabled=True).order_by("id"))
        runs = [(flow, _first_run(member, flow)) for flow in flows]
        problem = _problem(member, runs, now)
        if problem:
            member.status, member.message = MemberStatus.FAILED, problem[:500]
            member.save(update_fields=["status", "message"])
            _halt(rollout, member)
        elif all(run for _, run in runs):
            member.status = MemberStatus.DONE
            member.save(update_fields=["status"])
        else:
            run_all(member, now)


def _problem(member: RolloutMember, runs: list[tuple[Flow, SyncRun | None]], now: datetime) -> str:
    for flow, run in runs:
        if run is not None and run.status == RunStatus.FAILED:
            return f"{flow.name} failed: {run.error_message or 'no reason was told'}"
    more = count_open_failures(member.integration) - member.open_failures
    if more > 0 and any(run for _, run in runs):
        return f"{more} more record{'s' if more > 1 else ''} failed than before."
    if member.changed_at and now - member.changed_at > PATIENCE:
        return "No run ended within 2 hours."
    return ""


def count_open_failures(integration: Integration) -> int:
    unsolved = [FailureStatus.OPEN, FailureStatus.RETRYING]
    return RecordFailure.objects.filter(flow__integration=integration, status__in=unsolved).count()


def _halt(rollout: TemplateRollout, member: RolloutMember) -> None:
    rollout.status = RolloutStatus.HALTED
    rollout.halt_reason = f"{member.integration.customer.name}: {member.message}"[:500]
    rollout.save(update_fields=["status", "halt_reason"])


def _move_on(rollout: TemplateRollout, now: datetime) -> None:
    """To the next stage when nobody of this one is waited for; to the end when nobody is left."""
    members = rollout.members
    if rollout.status == RolloutStatus.ROLLING_BACK:
        if _next_member(rollout) is None:
            end_rollout(rollout, RolloutStatus.ROLLED_BACK, now)
        return
    if rollout.status != RolloutStatus.RUNNING:
        return
    pending = [MemberStatus.WAITING, MemberStatus.WATCHED]
    while rollout.stage < len(rollout.stages) - 1:
        if members.filter(stage__lte=rollout.stage, status__in=pending).exists():
            break
        rollout.stage += 1
    rollout.save(update_fields=["stage"])
    if not members.filter(status__in=[*pending, MemberStatus.NEEDS_ANSWER]).exists():
        end_rollout(rollout, RolloutStatus.COMPLETED, now)


def _has_more(rollout: TemplateRollout) -> bool:
    """Members that wait for an answer are taken up when it is given."""
    if rollout.status == RolloutStatus.ROLLING_BACK:
        return True
    return rollout.members.filter(status__in=[MemberStatus.WAITING, MemberStatus.WATCHED]).exists()


def end_rollout(rollout: TemplateRollout, status: RolloutStatus, now: datetime) -> None:
    rollout.status, rollout.finished_at = status, now
    rollout.save(update_fields=["status", "finished_at"])


def give_back(actor: Actor, now: datetime, member: RolloutMember) -> None:
    """What was changed since by somebody else is not undone: that member is left as it is, with the reason."""
    integration = lock_integration(actor, member.integration)
    current = integration.revisions.filter(status=VersionStatus.PUBLISHED).first()
    if member.before is None or current is None or current.pk != member.after_id:
        member.status = MemberStatus.SKIPPED
        member.message = "It was changed since. Go back on its page of versions, if that is right."
        member.save(update_fields=["status", "message"])
        return
    member.before.integration = integration
    state = state_of_revision(member.before)
    publish_state(
        actor=actor, now=now, integration=integration, state=state, note=f"Back to version {member.before.number}"
    )
    reset_layer(actor, now, integration, state.mappings)
    member.status, member.message = MemberStatus.ROLLED_BACK, ""
    member.save(update_fields=["status", "message"])


def _carrier(rollout: TemplateRollout) -> Actor:
    return system_actor(f"Rollout by {rollout.started_by_label}"[:200])


def require_partner(actor: Actor) -> None:
    """Raises NotPermitted for whoever sees only some of the customers."""
    actor.require("templates.manage")
    actor.require_sight_of_all("Only the partner's own people roll out templates.")


def audit_rollout(actor: Actor, now: datetime, rollout: TemplateRollout, action: str) -> None:
    record_change(
        actor=actor, now=now, target=rollout.version, action=action,
        after={"stages": rollout.stages, "stage": rollout.stage},
    )  # fmt: skip
