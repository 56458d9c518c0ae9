"""Time to invoice: approved, billable time that is on no invoice yet becomes one invoice per project.

The unique reference `invoice` of a time entry is what keeps it from a second invoice; entries, lines and references are
written in one transaction. Quantities are hours with four places, as the invoice shows them; an amount is quantity ×
rate, rounded half up, once per line; the total is the sum of the lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from apps.canonical.workspace import State, Workspace
from apps.core import clock
from apps.core.bulk import fetch_rows
from apps.core.money import exponent, round_half_up
from apps.flows.definition import AggregateSpec
from apps.sync.engine.claim import effects
from apps.sync.engine.consequences import draw_consequences, note_failures
from apps.sync.engine.context import RunContext
from apps.sync.engine.crashpoints import crash_here
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.failures import FailedRecord, resolve_writing
from apps.sync.engine.hashing import derived_id, digest
from apps.sync.models import ErrorClass

OBJECT = "unbilled time"
MONTH_END = "month end"
SECONDS_PER_HOUR = Decimal(3600)
_GROUPS = """
SELECT link.target_id, array_agg(entry.id ORDER BY entry.occurred_on, entry.id)
FROM canonical_canonicalrecord entry
JOIN canonical_canonicallink link ON link.source_id = entry.id AND link.name = %s
WHERE entry.environment_id = %s AND entry.entity = %s AND entry.state = 'approved'
  AND entry.data->'billable' = 'true'::jsonb AND entry.occurred_on < %s
  AND NOT EXISTS (
    SELECT 1 FROM canonical_canonicallink billed WHERE billed.source_id = entry.id AND billed.name = 'invoice')
GROUP BY link.target_id ORDER BY link.target_id
"""


@dataclass(frozen=True)
class RateCard:
    """Minor units per hour by e-mail address; `default` for everyone else. Raises RecordProblem when unreadable."""

    currency: str
    default: int | None
    by_email: dict[str, int]

    def rate_of(self, email: str) -> int | None:
        return self.by_email.get(email.strip().lower(), self.default)


def read_rate_card(settings: dict[str, Any], currency: str) -> RateCard:
    default = settings.get("default_rate")
    code = default["currency"] if default else currency
    minor_units = Decimal(1).scaleb(exponent(code))
    by_email = {}
    for line in str(settings.get("rate_card") or "").replace(";", "\n").splitlines():
        if not line.strip():
            continue
        email, _, rate = line.partition("=")
        try:
            by_email[email.strip().lower()] = round_half_up(Decimal(rate.strip()) * minor_units)
        except ArithmeticError:
            raise RecordProblem(
                ErrorClass.MAPPING, f"The rate card has an unreadable line: {line}", code="rate"
            ) from None
    return RateCard(code, default["amount"] if default else None, by_email)


def aggregate_time(context: RunContext, spec: AggregateSpec) -> int:
    """This function will invoice all projects' open time; returns how many invoices were made."""
    made = 0
    customer = context.flow.customer
    today = clock.local_date(context.now(), customer.time_zone)
    parameters = [spec.group_by, context.flow.environment_id, spec.collect, _cut_off(context.settings, today)]
    for group_id, entry_ids in fetch_rows(_GROUPS, parameters):
        made += _invoice_group(context, spec, group_id, entry_ids, today)
        crash_here("aggregated")
    return made


def _cut_off(settings: dict[str, Any], today: date) -> date:
    """Time before this day is invoiced."""
    if settings.get("cut_off") == MONTH_END:
        return today.replace(day=1)
    return today + timedelta(days=366)


def _invoice_group(context: RunContext, spec: AggregateSpec, group_id: UUID, entry_ids: list[UUID], today: date) -> int:
    with effects(context) as now:
        workspace = context.workspace()
        workspace.load([group_id, *entry_ids])
        group = workspace.find(group_id)
        entries = [entry for entry in map(workspace.find, entry_ids) if entry and "invoice" not in entry.links]
        if group is None or not entries:
            return 0
        # What the summary was made of may have changed before the lock was ours.
        entries = [e for e in entries if e.data["status"] == "approved" and e.data["billable"]]
        try:
            invoice = _make_invoice(context, workspace, spec, group, entries, today)
        except RecordProblem as problem:
            note_failures(context, [_failed(context, group, problem)], now)
            return 0
        workspace.flush()
        if context.has_failures and not context.is_dry:
            resolve_writing(context, _connection_id(context), OBJECT, [group.id], now)
        draw_consequences(context, workspace, workspace.take_touched(), now)
    return 1 if invoice else 0


def _make_invoice(
    context: RunContext, workspace: Workspace, spec: AggregateSpec, project: State, entries: list[State], today: date
) -> State | None:
    card = read_rate_card(context.settings, context.flow.customer.currency)
    workspace.load(entry.links[name] for entry in entries for name in ("task", "resource") if name in entry.links)
    lines = invoice_lines(workspace, card, entries)
    total = sum(line["amount"]["amount"] for line in lines)
    money = {"amount": total, "currency": card.currency}
    days = int(context.settings.get("payment_days") or 0)
    data = {
        "status": context.settings.get("invoice_status") or "draft",
        "currency": card.currency,
        "issue_date": today.isoformat(),
        "due_date": (today + timedelta(days=days)).isoformat(),
        "subtotal": money,
        "total": money,
        "lines": lines,
    }
    links = {"project": project.id}
    if "account" in project.links:
        links["account"] = project.links["account"]
    origin = f"{project.id}:{digest(sorted(str(entry.id) for entry in entries))}"
    invoice = workspace.create(derived_id(context.flow.environment_id, origin, spec.key), spec.into, data, links)
    for entry in entries:
        workspace.change(entry, {}, {"invoice": invoice.id})
    return invoice


def invoice_lines(workspace: Workspace, card: RateCard, entries: Iterable[State]) -> list[dict[str, Any]]:
    """One line per task and person, by name. Raises RecordProblem when somebody has no rate."""
    seconds: dict[tuple[str, str, int], int] = defaultdict(int)
    for entry in entries:
        task, person = workspace.find(entry.links.get("task")), workspace.find(entry.links.get("resource"))
        email = str(person.data.get("email") or "") if person else ""
        rate = card.rate_of(email)
        if rate is None:
            who = person.title if person else "somebody unknown"
            raise RecordProblem(
                ErrorClass.MAPPING, f"There is no hourly rate for {who} ({email or 'no e-mail'}).", code="rate"
            )
        seconds[task.title if task else "", person.title if person else "", rate] += entry.data["duration_seconds"]
    return [_line(task, person, rate, total, card.currency) for (task, person, rate), total in sorted(seconds.items())]


def _line(task: str, person: str, rate: int, seconds: int, currency: str) -> dict[str, Any]:
    hours = (Decimal(seconds) / SECONDS_PER_HOUR).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
    quantity = f"{hours.normalize():f}"
    return {
        "description": " – ".join(part for part in (task, person) if part) or "Work",
        "quantity": quantity,
        "unit_price": {"amount": rate, "currency": currency},
        "amount": {"amount": round_half_up(hours * rate), "currency": currency},
    }


def _failed(context: RunContext, project: State, problem: RecordProblem) -> FailedRecord:
    return FailedRecord(
        connection_id=_connection_id(context), direction="write", object_name=OBJECT, record_id=project.id,
        title=project.title, problem=problem,
    )  # fmt: skip


def _connection_id(context: RunContext) -> UUID:
    system = context.systems.get("billing") or next(iter(context.systems.values()))
    return system.connection.pk
