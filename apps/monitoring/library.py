"""The rules every partner begins with. Each may be changed, or switched off, by the partner."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID, uuid5

from apps.monitoring.models import ExceptionRule, Solver

_NAMESPACE = UUID("6f1c7a52-3b0e-4d53-9c55-0d1b7d1f2a10")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSpec:
    """See `ExceptionRule`."""

    key: str
    name: str
    description: str
    next_step: str
    entity: str
    condition: str
    only_if: str = ""
    expectation: str = ""
    expected: str = ""
    only_where_known: bool = False
    within_days: int
    counted_from: str = ""
    amount: str
    solver: str = Solver.PARTNER

    @property
    def id(self) -> UUID:
        """The same at every partner, so that a rule has an address before anybody changed it."""
        return uuid5(_NAMESPACE, self.key)


SHIPPED = (
    RuleSpec(
        key="approved-time-not-invoiced", name="Approved time not invoiced",
        description="Billable time was approved and is on no invoice yet.",
        next_step="See whether the invoicing flow runs and whether everybody has an hourly rate.",
        entity="time_entry", condition='record.status == "approved" && record.billable', expectation="invoice",
        only_where_known=True, within_days=14, counted_from="work_date", amount="record.time_amount",
    ),
    RuleSpec(
        key="won-opportunity-without-project", name="Won opportunity without project",
        description="A deal was won and no project was set up for it.",
        next_step="See on the error desk why the project could not be made, or whether the flow is paused.",
        entity="opportunity", condition='record.stage == "won"', expectation="project.opportunity", within_days=2,
        amount="record.amount",
    ),
    RuleSpec(
        key="project-without-contract", name="Project without contract",
        description="Work is under way that no contract covers.",
        next_step="Enter the contract where contracts are kept, or link it to the project.",
        entity="project", condition='record.status in ["planned", "open"]',
        expectation="contract.project | opportunity/contract.opportunity", only_where_known=True, within_days=7,
        amount="record.budget", solver=Solver.CUSTOMER,
    ),
    RuleSpec(
        key="milestone-done-not-billed", name="Milestone done but not billed",
        description="A milestone was reached and is on no invoice yet.",
        next_step="Issue the invoice for it, or link the milestone to the invoice that covers it.",
        entity="milestone", condition='record.status == "done"', expectation="invoice | invoice_schedule.milestone/invoice",
        only_where_known=True, within_days=7, counted_from="completed_date", amount="record.amount",
        solver=Solver.CUSTOMER,
    ),
    RuleSpec(
        key="paid-invoice-not-in-crm", name="Paid invoice not shown in the CRM",
        description="An invoice was paid and the deal it belongs to does not show it.",
        next_step="See whether the CRM can be reached and whether the payment flow runs.",
        entity="invoice", condition='record.status == "paid"', only_if="project/opportunity",
        expectation="project/opportunity", expected='shown.payment_status in ["paid", "part_paid"]', within_days=1,
        amount="record.total",
    ),
    RuleSpec(
        key="invoice-differs-from-time", name="Invoice differs from time × rate",
        description="The invoice does not come to the hours on it at their rates: one of them was changed afterwards.",
        next_step="Correct the invoice or the time; credit the difference if the invoice was sent.",
        entity="invoice",
        condition='record.status != "void" && record.time_amount != null '
        "&& get(coalesce(record.subtotal, record.total), \"amount\") != get(record.time_amount, \"amount\")",
        within_days=0, amount="subtract(record.time_amount, coalesce(record.subtotal, record.total))",
        solver=Solver.CUSTOMER,
    ),
    RuleSpec(
        key="revenue-differs-from-time", name="Revenue differs from time × rate",
        description="The revenue that was told does not come to its hours at their rates: one of them was changed afterwards.",
        next_step="Correct the time, or the entry in the books.", entity="revenue",
        condition='record.time_amount != null && get(record.total, "amount") != get(record.time_amount, "amount")',
        within_days=0, amount="subtract(record.time_amount, record.total)",
    ),
    RuleSpec(
        key="milestone-billed-not-done", name="Milestone billed but not done",
        description="A milestone is on an invoice and is not done: it was reopened, or billed too early.",
        next_step="Finish the milestone, or void or credit the invoice.", entity="milestone",
        condition='record.status != "done"', only_if="invoice", expectation="invoice",
        expected='record.status == "void"', within_days=0, amount="record.amount", solver=Solver.CUSTOMER,
    ),
    RuleSpec(
        key="revenue-of-open-milestone", name="Revenue of a milestone that is not done",
        description="A milestone earned revenue and was reopened since.",
        next_step="Finish the milestone again, or take its revenue back in the books.", entity="milestone",
        condition='record.status != "done"', only_if="revenue", within_days=0, amount="record.amount",
    ),
)  # fmt: skip


def shipped_values(spec: RuleSpec) -> dict[str, object]:
    return asdict(spec)


def unsaved(spec: RuleSpec) -> ExceptionRule:
    return ExceptionRule(id=spec.id, is_shipped=True, **shipped_values(spec))
