"""Old results brought and compared with what the engine produced; findings accepted by people."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from apps.audit.services import record_change
from apps.canonical.models import Entity
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, Conflict, NotVisible
from apps.customers.askers import note_asker
from apps.dispatch.services import cancel, schedule
from apps.modernization.comparison import NUMERIC, Comparison
from apps.modernization.fields import date_choices, guess_columns, guess_keys, systems_of
from apps.modernization.models import (
    InterfaceStatus,
    LegacyInterface,
    ParallelDifference,
    ParallelRun,
    ParallelStatus,
)
from apps.modernization.models.comparisons import ACTIVE
from apps.modernization.old_results import OldResult, UnreadableResult, columns_of, look_at, packed, unpacked
from apps.modernization.selectors import choices_for
from apps.modernization.services.comparing import COMPARISON_KIND
from apps.modernization.services.interfaces import lock_estate, lock_interface

MOST_ACTIVE = 5
FILES_KEPT = 10
SOON = 1  # somebody is watching
MISSING = "There is no such comparison."


class UnableToCompare(AnticipatedError):
    """The file or how it is to be compared will not do; `field` names the input."""

    code = "unable_to_compare"


class UnableToChangeComparison(Conflict):
    """It has ended, or has not come to its end."""


@transaction.atomic
def bring_result(
    *, actor: Actor, now: datetime, interface: LegacyInterface, name: str, content: bytes, entity: str = ""
) -> ParallelRun:
    """This function will keep the file as a draft, with a guess of what its columns are. Raises UnableToCompare.

    A draft before it is thrown away; what the last comparison of such columns said is taken over.
    """
    return _bring(actor, now, interface, name, content, entity)[0]


def _bring(
    actor: Actor, now: datetime, interface: LegacyInterface, name: str, content: bytes, entity: str
) -> tuple[ParallelRun, OldResult]:
    locked = lock_interface(actor, interface)
    entity = entity or locked.entity
    if locked.status == InterfaceStatus.RETIRED:
        raise UnableToCompare("It is retired: there is nothing to compare any more.")
    if locked.integration is None:
        raise UnableToCompare("Choose the integration that replaces it first: its records are the new result.")
    if entity not in Entity.values:
        raise UnableToCompare("Choose what kind of record the file holds.", field="entity")
    try:
        result = look_at(content, name)
    except UnreadableResult as error:
        raise UnableToCompare(str(error), field="file") from None
    ParallelRun.objects.filter(interface=locked, status=ParallelStatus.DRAFT).delete()
    run: ParallelRun = ParallelRun.objects.create(
        customer_id=locked.customer_id, environment=locked.integration.environment, interface=locked, entity=entity,
        file_name=(name or "result")[:200], file_bytes=len(content), row_count=result.row_count, content=packed(content),
        comparison=msgspec.to_builtins(_suggested(locked, entity, result)), requested_at=now,
        requested_by_label=actor.label,
    )  # fmt: skip
    _forget_files(locked)
    return run, result


def _suggested(interface: LegacyInterface, entity: str, result: OldResult) -> Comparison:
    # Times without an offset are the customer's own.
    file = msgspec.structs.replace(result.file, time_zone=interface.customer.time_zone)
    before = ParallelRun.objects.filter(interface=interface, entity=entity).exclude(status=ParallelStatus.DRAFT)
    last: ParallelRun | None = before.order_by("-id").first()
    if last is not None:
        known = last.rules
        if set(known.columns) <= set(result.columns) and known.is_json == result.is_json:
            return msgspec.structs.replace(known, file=file)
    choices = choices_for(interface, entity)
    columns = guess_columns(result.columns, choices)
    keys = guess_keys(columns, result.unique)
    return Comparison(columns=columns, keys=keys, is_json=result.is_json, file=file)


@transaction.atomic
def start_comparison(*, actor: Actor, now: datetime, run: ParallelRun, comparison: Comparison) -> ParallelRun:
    """This function will have the draft compared in the background; the interface then runs in parallel.

    Raises UnableToCompare, UnableToChangeComparison.
    """
    interface = lock_interface(actor, run.interface)
    locked = _lock(actor, run)
    if locked.status != ParallelStatus.DRAFT:
        raise UnableToChangeComparison("It was started already.")
    if interface.integration is None:
        raise UnableToCompare("Choose the integration that replaces it first: its records are the new result.")
    _check(interface, locked, comparison)
    _demand_room(interface)
    locked.integration, locked.environment = interface.integration, interface.integration.environment
    locked.comparison = msgspec.to_builtins(comparison)
    locked.status, locked.requested_at, locked.requested_by_label = ParallelStatus.QUEUED, now, actor.label
    locked.asked_by = note_asker(actor)
    locked.save(
        update_fields=[
            "integration", "environment", "comparison", "status", "requested_at", "requested_by_label", "asked_by",
        ]
    )  # fmt: skip
    if interface.status == InterfaceStatus.IN_USE:
        interface.status = InterfaceStatus.PARALLEL
        interface.save(update_fields=["status"])
    record_change(
        actor=actor, now=now, target=interface, action="legacy_interface.compared", after={"file": locked.file_name}
    )
    schedule(kind=COMPARISON_KIND, key=str(locked.pk), due_at=now, priority=SOON)
    return locked


@transaction.atomic
def compare_result(  # noqa: PLR0913 - a file, and how it is meant
    *, actor: Actor, now: datetime, interface: LegacyInterface, name: str, content: bytes, entity: str,
    rules: Callable[[ParallelRun], Comparison], said: Collection[str],
) -> ParallelRun:  # fmt: skip
    """This function will have a file compared at once; `rules` says how, given the draft with what was guessed of it.

    `said`: which of `decimal` and `dates` are no guess. Refused, nothing is kept. Raises UnableToCompare, and what
    `rules` raises.
    """
    run, result = _bring(actor, now, interface, name, content, entity)
    comparison = rules(run)
    _demand_clear(interface, run, result, comparison, said)
    return start_comparison(actor=actor, now=now, run=run, comparison=comparison)


def _demand_clear(
    interface: LegacyInterface, run: ParallelRun, result: OldResult, comparison: Comparison, said: Collection[str]
) -> None:
    """Raises UnableToCompare where a column that is compared could be read in two ways, and nobody said in which."""
    choices = choices_for(interface, run.entity)
    kinds = {column: choices[token].kind for column, token in comparison.columns.items() if token in choices}
    for name, unclear, doubtful in (
        ("decimal", result.unclear_numbers, NUMERIC), ("dates", result.unclear_days, {"date"}),
    ):  # fmt: skip
        column = next((one for one in unclear if kinds.get(one) in doubtful), None)
        if column is not None and name not in said:
            raise UnableToCompare(f"“{column}” can be read in two ways. Say how it is written.", field=name)


@transaction.atomic
def compare_again(*, actor: Actor, now: datetime, run: ParallelRun) -> ParallelRun:
    """This function will compare the same file with what stands there now. Raises UnableToChangeComparison."""
    interface = lock_interface(actor, run.interface)
    before = _lock(actor, run)
    if before.is_active or before.status == ParallelStatus.DRAFT:
        raise UnableToChangeComparison("It has not ended.")
    content = bytes(before.content)
    if not content or interface.integration is None or interface.status == InterfaceStatus.RETIRED:
        raise UnableToChangeComparison("The file is not kept any more. Bring it again.")
    copy = ParallelRun.objects.create(
        customer_id=before.customer_id, environment=interface.integration.environment, interface=interface,
        entity=before.entity, file_name=before.file_name, file_bytes=before.file_bytes, row_count=before.row_count,
        content=content, comparison=before.comparison, requested_at=now, requested_by_label=actor.label,
    )  # fmt: skip
    return start_comparison(actor=actor, now=now, run=copy, comparison=before.rules)


@transaction.atomic
def stop_comparison(*, actor: Actor, now: datetime, run: ParallelRun) -> ParallelRun:
    """This function will stop it; a worker at it notices with its next batch. Raises UnableToChangeComparison."""
    locked = _lock(actor, run)
    if not locked.is_active:
        raise UnableToChangeComparison("It has ended: there is nothing left to stop.")
    locked.status, locked.finished_at = ParallelStatus.CANCELED, now
    locked.save(update_fields=["status", "finished_at"])
    cancel(kind=COMPARISON_KIND, key=str(locked.pk))
    record_change(actor=actor, now=now, target=locked.interface, action="legacy_interface.comparison_stopped")
    return locked


@transaction.atomic
def accept_findings(
    *, actor: Actor, now: datetime, run: ParallelRun, reason: str, finding: ParallelDifference | None = None,
    kind: str = "", field: str = "",
) -> int:  # fmt: skip
    """This function will note that a difference is as it should be, and why: one, or all of a kind and field.

    Returns how many. What is accepted stays so in later comparisons while both values stay. Raises UnableToCompare,
    UnableToChangeComparison.
    """
    locked = _ended(actor, run)
    reason = reason.strip()
    if not 1 <= len(reason) <= 300:
        raise UnableToCompare("Say in at most 300 characters why this is right.", field="reason")
    found = ParallelDifference.objects.filter(run=locked, accepted_at=None)
    found = found.filter(digest=finding.digest) if finding else found.filter(kind=kind, field=field)
    count = found.update(accepted_at=now, accepted_by_label=actor.signature[:200], accept_reason=reason)
    if not count:
        raise UnableToChangeComparison("There is nothing of it left to accept.")
    what = {"key": finding.key, "field": finding.field} if finding else {"kind": kind, "field": field}
    record_change(
        actor=actor, now=now, target=locked.interface, action="legacy_interface.findings_accepted",
        after={**what, "count": count, "reason": reason},
    )  # fmt: skip
    return count


@transaction.atomic
def withdraw_acceptance(*, actor: Actor, now: datetime, run: ParallelRun, finding: ParallelDifference) -> None:
    """This function will put the finding on the list again, here and for later comparisons."""
    locked = _ended(actor, run)
    same = ParallelDifference.objects.filter(
        digest=finding.digest, run__interface=locked.interface, accepted_at__isnull=False
    )
    if not same.filter(run=locked).exists():
        raise UnableToChangeComparison("It is not accepted.")
    same.update(accepted_at=None, accepted_by_label="", accept_reason="", is_remembered=False)
    record_change(
        actor=actor, now=now, target=locked.interface, action="legacy_interface.acceptance_withdrawn",
        after={"key": finding.key, "field": finding.field},
    )  # fmt: skip


def _lock(actor: Actor, run: ParallelRun) -> ParallelRun:
    actor.require("integrations.manage")
    actor.require_sight(run.customer_id, MISSING)
    lock_estate(run.customer_id)
    rows = ParallelRun.objects.select_for_update(of=("self",)).select_related("interface")
    locked: ParallelRun | None = rows.filter(pk=run.pk).first()
    if locked is None:
        raise NotVisible(MISSING)
    return locked


def _ended(actor: Actor, run: ParallelRun) -> ParallelRun:
    locked = _lock(actor, run)
    if locked.status != ParallelStatus.DONE:
        raise UnableToChangeComparison("Wait until everything is compared.")
    return locked


def _check(interface: LegacyInterface, run: ParallelRun, comparison: Comparison) -> None:
    choices = choices_for(interface, run.entity)
    tokens = list(comparison.columns.values())
    known = columns_of(unpacked(bytes(run.content)), comparison.file, is_json=comparison.is_json)
    strange = next((column for column in comparison.columns if column not in known), None)
    if strange is not None:
        raise UnableToCompare(f"The file has no column “{strange[:60]}”.", field="columns")
    unknown = next((token for token in tokens if token not in choices), None)
    if unknown is not None:
        raise UnableToCompare(f"There is no field “{unknown[:60]}” to compare with.", field="columns")
    twice = next((token for token in tokens if tokens.count(token) > 1), None)
    if twice is not None:
        raise UnableToCompare(f"Two columns are said to hold “{choices[twice].label}”.", field="columns")
    if not comparison.keys:
        raise UnableToCompare("Choose at least one column that says which record a row is.", field="keys")
    if not set(comparison.keys) <= set(tokens):
        raise UnableToCompare("Say what the columns hold by which rows are told apart.", field="keys")
    if comparison.date_field and comparison.date_field not in {one.token for one in date_choices(choices)}:
        raise UnableToCompare("Records of this kind have no such date.", field="date_field")
    if (comparison.first_day or comparison.last_day) and not comparison.date_field:
        raise UnableToCompare("Choose the date by which the period is cut.", field="date_field")
    if comparison.first_day and comparison.last_day and comparison.first_day > comparison.last_day:
        raise UnableToCompare("The period ends before it begins.", field="last_day")
    systems = {str(system.pk) for system in systems_of(interface.integration)}
    if comparison.system and comparison.system not in systems:
        raise UnableToCompare("The integration does not connect this system.", field="system")


def _demand_room(interface: LegacyInterface) -> None:
    active = ParallelRun.objects.filter(customer_id=interface.customer_id, status__in=ACTIVE)
    if active.count() >= MOST_ACTIVE:
        raise UnableToCompare("Several comparisons are under way. Wait for one of them to end.")


def _forget_files(interface: LegacyInterface) -> None:
    """The newest files are kept, so that they can be compared again; what was found stays of all."""
    kept: list[Any] = list(
        ParallelRun.objects.filter(interface=interface).order_by("-id").values_list("pk", flat=True)[:FILES_KEPT]
    )
    ended = ParallelRun.objects.filter(interface=interface).exclude(pk__in=kept).exclude(status__in=ACTIVE)
    ended.update(content=b"")
