"""Telling people what a rule found: one notice for each version of a record, in the portal and by mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.accounts.models import StaffMembership
from apps.canonical.workspace import State
from apps.core.expressions import ExpressionError
from apps.customers.models import CustomerMembership
from apps.flows.definition import NotifySpec
from apps.flows.words import CUSTOMER_ROLES
from apps.notifications.services import send_mail
from apps.sync.engine.context import RunContext, rule_context
from apps.sync.engine.hashing import digest
from apps.sync.engine.rules import CompiledRule, RuleWork
from apps.sync.models import RuleNotice

KIND = "sync.notice"
# More than these at once come in one mail: a first run may find hundreds.
SINGLE_MAILS = 3
MOST_LISTED = 20


def give_notices(context: RunContext, rules: list[CompiledRule], work: RuleWork, now: datetime) -> None:
    """This function will store what is new and send it. To be called after the records were flushed."""
    by_rule: dict[int, list[State]] = defaultdict(list)
    for (_, position), state in work.noticed.items():
        by_rule[position].append(state)
    for position, states in sorted(by_rule.items()):
        rule = rules[position]
        assert rule.spec.notify is not None  # noqa: S101 - only such rules are noticed
        notices = _new_notices(context, rule, rule.spec.notify, states, now, work.stick)
        RuleNotice.objects.bulk_create(notices)
        if notices and rule.spec.notify.mail:
            _send(context, rule.spec.notify, notices, now)


def _new_notices(
    context: RunContext, rule: CompiledRule, spec: NotifySpec, states: list[State], now: datetime,
    stick: Callable[[State, Exception], None],
) -> list[RuleNotice]:  # fmt: skip
    ids = [state.id for state in states]
    told = RuleNotice.objects.filter(flow=context.flow, step=spec.key, record_id__in=ids)
    known: set[tuple[UUID, int]] = set(told.values_list("record_id", "version"))
    found = []
    for state in states:
        version = 0 if spec.once else state.version
        if (state.id, version) in known:
            continue
        try:
            words = rule.notice.evaluate(rule_context(state, context.expression_settings, context.today))
        except ExpressionError as error:
            stick(state, error)
            continue
        found.append(_notice(context, spec, state, version, words, now))
    return found


def _notice(
    context: RunContext, spec: NotifySpec, state: State, version: int, words: dict[str, Any], now: datetime
) -> RuleNotice:
    flow = context.flow
    return RuleNotice(
        customer_id=flow.customer_id, environment_id=flow.environment_id, flow=flow, step=spec.key, record_id=state.id,
        version=version, roles=spec.to, subject=str(words["subject"] or state.title)[:250],
        text=str(words["text"] or "")[:2000], created_at=now,
    )  # fmt: skip


def _send(context: RunContext, spec: NotifySpec, notices: list[RuleNotice], now: datetime) -> None:
    batches = [[notice] for notice in notices] if len(notices) <= SINGLE_MAILS else [notices]
    for recipient in recipients_of(spec.to, context.flow.customer_id):
        for batch in batches:
            key = digest([recipient, *sorted(str(notice.pk) for notice in batch)])
            send_mail(
                kind=KIND, recipient=recipient, template="rule_notice", now=now, key=key,
                context={
                    "subject": batch[0].subject if len(batch) == 1 else f"{len(batch)} × {context.flow.name}",
                    "notices": batch[:MOST_LISTED], "more": max(len(batch) - MOST_LISTED, 0),
                    "flow_name": context.flow.name, "customer_name": context.flow.customer.name,
                },
            )  # fmt: skip


def recipients_of(roles: list[str], customer_id: UUID) -> list[str]:
    """The addresses of all who have one of the roles, each once."""
    staff = StaffMembership.objects.filter(role__in=roles, user__is_active=True)
    own = [CUSTOMER_ROLES[role] for role in roles if role in CUSTOMER_ROLES]
    people = CustomerMembership.objects.filter(customer_id=customer_id, role__in=own, user__is_active=True)
    return sorted({*staff.values_list("user__email", flat=True), *people.values_list("user__email", flat=True)})
