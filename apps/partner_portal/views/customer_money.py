"""A customer's promise and bill: the SLA and Billing tabs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.billing.models import BillingAccount
from apps.billing.selectors import (
    find_account,
    find_current_period,
    find_live_subscription,
    list_invoices,
    preview_invoice,
)
from apps.billing.services import cancel_subscription, open_account, subscribe, update_account
from apps.core import clock
from apps.core.errors import NotVisible
from apps.customers.models import Customer
from apps.customers.selectors import get_customer
from apps.partner_portal.actions import perform, submit, tell_refusal
from apps.partner_portal.customer_page import render_tab
from apps.partner_portal.forms.billing import AccountForm, SubscribeForm
from apps.partner_portal.forms.sla import AssignForm
from apps.partner_portal.lists.money import invoices_table, lines_of, reports_table
from apps.partner_portal.selectors.plans import current_plan_versions, current_policy_versions
from apps.partner_portal.selectors.sla import standings
from apps.partner_portal.wording import months_days
from apps.sla.selectors import list_reports, month_around
from apps.sla.services import assign_policy
from apps.ui import htmx


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "sla.view")
def show_sla(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer, now = get_customer(request.actor, customer_id), clock.now()
    form = AssignForm(current_policy_versions(), request.POST or None)
    if request.method == "POST":
        request.actor.require("sla.promise")
        promised = submit(
            form,
            lambda data: assign_policy(
                actor=request.actor, now=clock.now(), customer=customer, policy_version=data["policy"]
            ),
        )
        if promised is not None:
            messages.info(request, f"{promised.policy_version} is promised from now on.")
            return htmx.redirect(request, reverse("partner_portal:customer_sla", args=[customer.pk]))
    standing = standings(request.actor, [customer], now).get(customer.pk)
    reports = list(list_reports(request.actor).filter(customer=customer)[:24])
    context = {
        "standing": standing, "lines": lines_of(standing.results) if standing else [], "form": form,
        "since": months_days(standing.period_start, standing.period_end, customer.time_zone)[0] if standing else None,
        "table": reports_table(reports, across=False), "closable": _closable(customer, reports, standing) if request.actor.can("sla.close") else "",
        "may_promise": request.actor.can("sla.promise"),
    }  # fmt: skip
    return render_tab(request, customer, "customer_sla", context)


def _closable(customer: Customer, reports: list[Any], standing: Any) -> str:
    """The name of last month while its report is still to be closed."""
    if standing is None:
        return ""
    start, _ = month_around(customer, clock.now())
    last_start, _ = month_around(customer, start - timedelta(seconds=1))
    was_promised = standing.assignment.starts_at < start
    is_closed = any(report.period_start == last_start for report in reports)
    return "" if is_closed or not was_promised else f"{last_start + timedelta(days=3):%B %Y}"


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "billing.view")
def show_billing(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer, now = get_customer(request.actor, customer_id), clock.now()
    subscription = find_live_subscription(customer.subject_key)
    account = subscription.account if subscription else find_account(customer.subject_key)
    account_form, plan_form = _forms(request, customer, account)
    if request.method == "POST":
        request.actor.require("billing.manage")
        done = _save(request, customer, account, account_form, plan_form)
        if done:
            messages.info(request, done)
            return htmx.redirect(request, reverse("partner_portal:customer_billing", args=[customer.pk]))
        if subscription is not None and plan_form is not None:
            tell_refusal(request, plan_form)
    period = find_current_period(subscription, now) if subscription else None
    invoices = list(list_invoices(request.actor).filter(account=account)[:24]) if account else []
    context = {
        "account": account, "subscription": subscription, "period": period,
        "preview": preview_invoice(period) if period else None,
        "days": months_days(period.period_start, period.period_end, account.time_zone) if period and account else None,
        "account_form": account_form, "plan_form": plan_form,
        "table": invoices_table(invoices, now.date(), across=False),
    }  # fmt: skip
    return render_tab(request, customer, "customer_billing", context)


def _forms(
    request: ActorRequest, customer: Customer, account: BillingAccount | None
) -> tuple[AccountForm, SubscribeForm | None]:
    kind = request.POST.get("form", "") if request.method == "POST" else ""
    start = (
        AccountForm.initial_of(account)
        if account
        else {"legal_name": customer.name, "country": customer.country, "email": customer.contact_email}
    )
    account_form = AccountForm(request.POST if kind == "account" else None, initial=start, prefix="account")
    if account is None:
        return account_form, None
    versions = current_plan_versions(currency=account.currency)
    return account_form, SubscribeForm(versions, request.POST if kind == "plan" else None, prefix="plan")


def _save(
    request: ActorRequest, customer: Customer, account: BillingAccount | None, account_form: AccountForm,
    plan_form: SubscribeForm | None,
) -> str:  # fmt: skip
    """What was done, or nothing when a form has to be shown again."""
    now, actor = clock.now(), request.actor
    if request.POST.get("form") == "plan":
        if plan_form is None or account is None:
            return ""
        taken = submit(
            plan_form, lambda data: subscribe(actor=actor, now=now, account=account, plan_version=data["plan"])
        )
        return f"{customer.name} is on {taken.plan_version.plan.name} from today." if taken else ""
    if account is not None:
        saved = submit(account_form, lambda data: update_account(actor=actor, now=now, account=account, **data))
        return "The billing details were saved." if saved else ""
    opened = submit(account_form, lambda data: _open(request, customer, data))
    return "The billing details were saved. Choose a plan next." if opened else ""


def _open(request: ActorRequest, customer: Customer, data: dict[str, Any]) -> BillingAccount:
    return open_account(
        actor=request.actor,
        now=clock.now(),
        subject_key=customer.subject_key,
        legal_name=data["legal_name"],
        currency=customer.currency,
        time_zone=customer.time_zone,
        email=data["email"],
        details={**{name: data[name] for name in ("address", "country", "tax_id")}, "locale": customer.locale},
    )


@require_POST
@requires(Audience.STAFF, "billing.manage")
def end_subscription(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    subscription = find_live_subscription(customer.subject_key)
    if subscription is None:
        raise NotVisible("There is no subscription.")
    return perform(
        request,
        lambda: cancel_subscription(actor=request.actor, now=clock.now(), subscription=subscription),
        done="The subscription has ended. The running month is billed when it closes.",
        next_url=reverse("partner_portal:customer_billing", args=[customer.pk]),
    )
