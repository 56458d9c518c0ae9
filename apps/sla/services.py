"""Promising, closing months, keeping the reports."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import IntegrityError, transaction

from apps.audit.services import record_change
from apps.core.actor import Actor, system_actor
from apps.core.errors import AnticipatedError, Conflict
from apps.core.planes import require_tenant_schema
from apps.customers.models import Customer
from apps.customers.selectors import list_admin_addresses
from apps.dispatch.services import reschedule, schedule
from apps.events.services import record_event
from apps.notifications.services import send_mail
from apps.sla.documents import render_report_pdf
from apps.sla.measures import ObjectiveKey, ObjectiveResult
from apps.sla.models import SlaAssignment, SlaPolicy, SlaPolicyVersion, SlaReport
from apps.sla.selectors import SlaMeasurement, find_assignment, measure_customer, month_around
from apps.sla.words import describe_result, month_name, name_objective
from apps.tenants.selectors import absolute_url, platform_host

# Runs that were under way at midnight have ended by then.
CLOSE_GRACE = timedelta(hours=2)
CLOSE_KIND = "sla.close_month"


class UnableToPromise(AnticipatedError):
    """The objectives do not make a policy."""

    code = "unable_to_promise"


class UnableToClose(Conflict):
    """The month is not over."""

    code = "unable_to_close"


def create_policy(*, actor: Actor, now: datetime, name: str, objectives: list[dict[str, Any]]) -> SlaPolicyVersion:
    """This function will create a policy with its first version. Raises UnableToPromise."""
    actor.require("sla.manage")
    if not name.strip():
        raise UnableToPromise("Give the policy a name.", field="name")
    with transaction.atomic():
        policy = _add_policy(name.strip(), now)
        return _add_version(actor, now, policy, objectives)


def _add_policy(name: str, now: datetime) -> SlaPolicy:
    try:
        with transaction.atomic():
            return SlaPolicy.objects.create(name=name, created_at=now)
    except IntegrityError as error:
        raise UnableToPromise("Choose a name that no other policy has.", field="name") from error


def revise_policy(
    *, actor: Actor, now: datetime, policy: SlaPolicy, objectives: list[dict[str, Any]]
) -> SlaPolicyVersion:
    """This function will add a version. Customers keep the version they were promised until they are assigned anew."""
    actor.require("sla.manage")
    with transaction.atomic():
        SlaPolicy.objects.select_for_update().get(pk=policy.pk)
        return _add_version(actor, now, policy, objectives)


def _add_version(actor: Actor, now: datetime, policy: SlaPolicy, objectives: list[dict[str, Any]]) -> SlaPolicyVersion:
    if not objectives:
        raise UnableToPromise("A policy needs at least one objective.", field="objectives")
    version = SlaPolicyVersion.objects.create(
        policy=policy,
        number=policy.versions.count() + 1,
        objectives=[_clean(row) for row in objectives],
        created_at=now,
    )
    record_change(
        actor=actor, now=now, target=policy, action="sla.policy.published",
        after={"version": version.number, "objectives": version.objectives},
    )  # fmt: skip
    return version


def _clean(row: dict[str, Any]) -> dict[str, Any]:
    try:
        key, target = ObjectiveKey(row["key"]), Decimal(str(row["target"]))
    except (KeyError, ValueError, InvalidOperation):
        raise UnableToPromise("Give each objective a kind and a target in percent.", field="objectives") from None
    if not 0 < target <= 100:
        raise UnableToPromise("A target lies between 0 and 100 percent.", field="objectives")
    threshold = int(row.get("threshold_seconds") or 0)
    if key is ObjectiveKey.FRESHNESS and threshold <= 0:
        raise UnableToPromise("Freshness needs the time within which a flow is in step.", field="objectives")
    cleaned: dict[str, Any] = {"key": key.value, "target": str(target)}
    return {**cleaned, "threshold_seconds": threshold} if threshold else cleaned


def assign_policy(
    *, actor: Actor, now: datetime, customer: Customer, policy_version: SlaPolicyVersion
) -> SlaAssignment:
    """This function will promise a version to a customer from now on; what was promised before ends now.

    What is promised already stays as it is: the second of two clicks promises nothing anew.
    """
    actor.require("sla.promise")
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)
        running = SlaAssignment.objects.for_customer(customer).filter(ends_at=None)
        if same := running.filter(policy_version=policy_version).first():
            return same
        running.update(ends_at=now)
        assignment = SlaAssignment.objects.create(customer=customer, policy_version=policy_version, starts_at=now)
        _, end = month_around(customer, now)
        schedule(kind=CLOSE_KIND, key=str(customer.pk), due_at=end + CLOSE_GRACE)
        record_change(
            actor=actor, now=now, target=customer, action="sla.policy.assigned", after={"policy": str(policy_version)}
        )
        return assignment


def close_month(*, actor: Actor, customer: Customer, instant: datetime, now: datetime) -> SlaReport | None:
    """This function will fix the report of the month that holds `instant`; an existing report is returned as it is.

    None when nothing was promised at the month's end. A month in which the policy changed is judged by the version in
    force at its end. Raises UnableToClose while the month runs.
    """
    actor.require("sla.close")
    start, end = month_around(customer, instant)
    if end > now:
        raise UnableToClose("The month is still running: close it when it is over.")
    with transaction.atomic():
        # Two people at the button, or a person and the schedule: the second finds the report of the first.
        Customer.objects.select_for_update().get(pk=customer.pk)
        existing = SlaReport.objects.for_customer(customer).filter(period_start=start).first()
        if existing is not None:
            return existing
        assignment = find_assignment(customer, end - timedelta(microseconds=1))
        if assignment is None:
            return None
        measurement = measure_customer(
            customer=customer, policy_version=assignment.policy_version, period_start=start, period_end=end, now=now
        )
        return _close(actor, customer, measurement, now)


def _close(actor: Actor, customer: Customer, measurement: SlaMeasurement, now: datetime) -> SlaReport:
    report = _keep_report(customer, measurement, now)
    _mail_report(customer, report, now)
    record_event(
        name="sla.report.closed", subject_key=customer.subject_key, now=now, payload={"report_id": str(report.pk)}
    )
    record_change(actor=actor, now=now, target=report, action="sla.report.closed", after={"is_met": report.is_met})
    return report


def _keep_report(customer: Customer, measurement: SlaMeasurement, now: datetime) -> SlaReport:
    report = SlaReport(
        customer=customer,
        policy_version=measurement.policy_version,
        period_start=measurement.period_start,
        period_end=measurement.period_end,
        results={
            "objectives": [result_as_json(result) for result in measurement.results],
            "run_count": measurement.run_count,
            "failed_run_count": measurement.failed_run_count,
        },
        is_met=measurement.is_met,
        computed_at=now,
    )
    report.document = render_report_pdf(report)
    report.save()
    return report


def _mail_report(customer: Customer, report: SlaReport, now: datetime) -> None:
    url = absolute_url(platform_host(require_tenant_schema()), f"/reports/{report.pk}/")
    for address in list_admin_addresses(customer.pk):
        send_mail(
            kind="sla.report_ready",
            recipient=address,
            template="sla_report_ready",
            key=f"{report.pk}:{address}",
            now=now,
            context={
                "period_label": month_name(report.period_start, customer.time_zone),
                "customer_name": customer.name,
                "is_met": report.is_met,
                "facts": [
                    (name_objective(ObjectiveKey(row["key"]), row["threshold_seconds"]), describe_result(row))
                    for row in report.results["objectives"]
                ],
                "url": url,
            },
        )


def result_as_json(result: ObjectiveResult) -> dict[str, Any]:
    """The stored and published form of a result: percentages as decimal strings."""
    return {
        "key": result.key.value,
        "target": str(result.target),
        "threshold_seconds": result.threshold_seconds,
        "achieved": None if result.achieved is None else str(result.achieved),
        "good": result.good,
        "total": result.total,
        "budget_left": None if result.budget_left is None else str(result.budget_left),
        "is_met": result.is_met,
    }


def close_due_month(*, customer_id: str, now: datetime) -> SlaReport | None:
    """This function will close the month before `now` and schedule the next close. Safe to repeat."""
    customer = Customer.objects.get(pk=customer_id)
    start, end = month_around(customer, now)
    report = close_month(actor=system_actor(), customer=customer, instant=start - timedelta(seconds=1), now=now)
    reschedule(kind=CLOSE_KIND, key=customer_id, due_at=end + CLOSE_GRACE)
    return report
