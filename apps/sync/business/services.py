"""What the services do to the records of an environment."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from apps.canonical.workspace import State, Workspace
from apps.connectors.sdk.misfits import describe_misfit
from apps.core.money import CurrencyMismatch, Money, round_half_up
from apps.sync.business.inputs import (
    INPUTS,
    PATTERNS,
    CompleteMilestone,
    CreateCustomer,
    GenerateInvoice,
    Input,
    PaymentStatus,
    ProvisionProject,
    UpdateResource,
)
from apps.sync.business.outcome import Outcome, UnableToCall
from apps.sync.business.records import find_by, find_named, invoices_of_deal
from apps.sync.derived import derived_id

TITLES = {
    "create_customer": "Create a customer",
    "provision_project": "Provision a project",
    "update_resource": "Update a resource",
    "generate_invoice": "Generate an invoice",
    "payment_status": "Look up a payment status",
    "complete_milestone": "Complete a milestone",
}
MOST_BILLED = 10**15  # minor units
# The names under which the shipped templates derive the same records: whoever comes second finds them made.
PROJECT_OF_DEAL, FIRST_TASK = "provisioned", "first-task"


def call_service(workspace: Workspace, service: str, given: dict[str, Any], *, key: str, today: str) -> Outcome:
    """This function will do the service's work in `workspace`; `key` makes a repeated call the same call.

    Raises UnableToCall, InvalidRecord.
    """
    if service not in INPUTS:
        raise UnableToCall(f"There is no business service {service}.", field="service")
    try:
        inputs = msgspec.convert(given, INPUTS[service], strict=True)
    except msgspec.ValidationError as error:
        misfit = describe_misfit(error, INPUTS[service], PATTERNS)
        raise UnableToCall(f"{misfit.message}.", field=misfit.field) from error
    act: Callable[[Workspace, Any, str, str], Outcome] = _ACTS[service]
    return act(workspace, inputs, key, today)


def _create_customer(workspace: Workspace, given: CreateCustomer, key: str, today: str) -> Outcome:
    known = find_by(workspace, "account", "tax_id", given.tax_id) or find_by(
        workspace, "account", "number", given.number
    )
    if known:
        workspace.change(known, {name: value for name, value in _given(given).items() if name not in known.data})
        return Outcome(known)
    return _once(workspace, "account", "create_customer", key, _given(given), {})


def _provision_project(workspace: Workspace, given: ProvisionProject, key: str, today: str) -> Outcome:
    deal = find_named(workspace, given.opportunity, "opportunity")
    account = find_named(workspace, given.account, "account")
    name = given.name or (deal.data["name"] if deal else None)
    if not name:
        raise UnableToCall("Give the project's name, or the deal it is for.", field="name")
    data = {"status": "open", **_given(given, "account", "opportunity", "first_task"), "name": name}
    links = {"opportunity": deal.id} if deal else {}
    if account:
        links["account"] = account.id
    elif deal and "account" in deal.links:
        links["account"] = deal.links["account"]
    if deal and "budget" not in data and deal.data.get("amount"):
        data["budget"] = deal.data["amount"]
    alias, origin = (PROJECT_OF_DEAL, str(deal.id)) if deal else ("provision_project", key)
    outcome = _once(workspace, "project", alias, origin, data, links)
    if given.first_task:
        task = {"name": given.first_task, "status": "open"}
        _once(workspace, "task", FIRST_TASK, str(outcome.record.id), task, {"project": outcome.record.id})
    return outcome


def _update_resource(workspace: Workspace, given: UpdateResource, key: str, today: str) -> Outcome:
    found = find_named(workspace, given.resource, "resource") or find_by(workspace, "resource", "email", given.email)
    if found is None:
        raise UnableToCall("There is nobody with this e-mail address.", field="email")
    changes = {"name": given.name, "email": given.new_email, "status": given.status}
    workspace.change(found, {name: value for name, value in changes.items() if value is not None})
    return Outcome(found)


def _generate_invoice(workspace: Workspace, given: GenerateInvoice, key: str, today: str) -> Outcome:
    project = find_named(workspace, given.project, "project")
    account = find_named(workspace, given.account, "account")
    links = {"project": project.id} if project else {}
    if account:
        links["account"] = account.id
    elif project and "account" in project.links:
        links["account"] = project.links["account"]
    if "account" not in links:
        raise UnableToCall("Give the account to bill, or a project that has one.", field="account")
    currency = given.currency or given.lines[0].unit_price.currency
    if any(line.unit_price.currency != currency for line in given.lines):
        raise UnableToCall("All prices of an invoice have one currency.", field="lines")
    lines = [_line(line.description, line.quantity, line.unit_price.amount, currency) for line in given.lines]
    if sum(abs(line["amount"]["amount"]) for line in lines) > MOST_BILLED:
        raise UnableToCall("The invoice is too large. Split it into several.", field="lines")
    total = {"amount": sum(line["amount"]["amount"] for line in lines), "currency": currency}
    data = {
        "issue_date": today, **_given(given, "account", "project", "lines"), "currency": currency, "lines": lines,
        "subtotal": total, "total": total,
    }  # fmt: skip
    return _once(workspace, "invoice", "generate_invoice", key, data, links)


def _payment_status(workspace: Workspace, given: PaymentStatus, key: str, today: str) -> Outcome:
    deal = find_named(workspace, given.opportunity, "opportunity")
    assert deal is not None  # noqa: S101 - the input demands it
    bills = [s for s in invoices_of_deal(workspace, deal.id) if s.data["status"] in ("open", "paid")]
    values: dict[str, Any] = {"payment_status": "none"}
    if bills:
        paid, due = _sum(bills, "amount_paid"), _sum(bills, "amount_due")
        is_paid = due is not None and due["amount"] <= 0
        is_begun = paid is not None and paid["amount"] > 0
        values = {
            "payment_status": "paid" if is_paid else ("part_paid" if is_begun else "invoiced"),
            "invoice_number": bills[-1].data.get("number"),
            "invoiced_amount": _sum(bills, "total"),
            "paid_amount": paid,
        }
    # Which amounts a deal shows, with tax or without, is its integration's choice.
    workspace.change(deal, {name: values[name] for name in ("payment_status", "invoice_number") if name in values})
    return Outcome(deal, values=values)


def _complete_milestone(workspace: Workspace, given: CompleteMilestone, key: str, today: str) -> Outcome:
    found = find_named(workspace, given.milestone, "milestone")
    assert found is not None  # noqa: S101 - the input demands it
    if found.data["status"] != "done":
        day = given.completed_date.isoformat() if given.completed_date else today
        workspace.change(found, {"status": "done", "completed_date": day})
    return Outcome(found)


_ACTS: dict[str, Callable[[Workspace, Any, str, str], Outcome]] = {
    "create_customer": _create_customer,
    "provision_project": _provision_project,
    "update_resource": _update_resource,
    "generate_invoice": _generate_invoice,
    "payment_status": _payment_status,
    "complete_milestone": _complete_milestone,
}


def _once(
    workspace: Workspace, entity: str, alias: str, origin: str, data: dict[str, Any], links: dict[str, Any]
) -> Outcome:
    record_id = derived_id(workspace.environment.pk, origin, alias)
    workspace.load([record_id])
    known = workspace.find(record_id)
    if known:
        return Outcome(known)
    return Outcome(workspace.create(record_id, entity, data, links), is_new=True)


def _given(inputs: Input, *leave_out: str) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(inputs)
    return {name: value for name, value in values.items() if value is not None and name not in leave_out}


def _line(description: str, quantity: str, price: int, currency: str) -> dict[str, Any]:
    return {
        "description": description,
        "quantity": quantity,
        "unit_price": {"amount": price, "currency": currency},
        "amount": {"amount": round_half_up(Decimal(quantity) * price), "currency": currency},
    }


def _sum(states: list[State], field: str) -> dict[str, Any] | None:
    values = [Money(**value) for state in states if (value := state.data.get(field))]
    if not values:
        return None
    try:
        total = sum(values[1:], values[0])
    except CurrencyMismatch as error:
        raise UnableToCall(
            "The deal is billed in several currencies, which have no sum.", field="opportunity"
        ) from error
    return {"amount": total.amount, "currency": total.currency}
