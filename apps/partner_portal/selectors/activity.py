"""Who did what for a customer, from the audit trail, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from apps.audit.models import AuditEvent
from apps.core.actor import Actor
from apps.customers.models import Customer

_WORDS = {
    "customer.created": ("Customer added", "user-plus"),
    "customer.updated": ("Details changed", "edit"),
    "customer.archived": ("Customer archived", "archive"),
    "connection.created": ("Connection added", "plug"),
    "connection.updated": ("Connection changed", "plug"),
    "connection.authorized": ("Connection authorized", "plug-connected"),
    "connection.status_changed": ("Connection state changed", "plug"),
    "connection.archived": ("Connection archived", "archive"),
    "integration.deployed": ("Integration set up", "route"),
    "integration.live": ("Integration went live", "rocket"),
    "integration.paused": ("Integration paused", "player-pause"),
    "integration.retired": ("Integration retired", "archive"),
    "run.started": ("Run started", "player-play"),
    "run.canceled": ("Run canceled", "player-stop"),
    "failures.retried": ("Failed records retried", "refresh"),
    "failure.ignored": ("Failed record ignored", "eye-off"),
    "invitation.sent": ("Invitation sent", "mail"),
    "invitation.revoked": ("Invitation withdrawn", "mail"),
    "invitation.accepted": ("Invitation accepted", "user-check"),
    "member.added": ("Person added", "user-plus"),
    "member.role_changed": ("Role changed", "user-cog"),
    "member.removed": ("Person removed", "user"),
    "sla.policy.assigned": ("Service level promised", "target"),
    "sla.report.closed": ("Service level report closed", "report"),
    "billing.account.opened": ("Billing account opened", "receipt"),
    "billing.subscription.started": ("Subscription started", "receipt"),
    "billing.subscription.canceled": ("Subscription canceled", "receipt"),
    "billing.invoice.issued": ("Invoice issued", "file-invoice"),
    "billing.invoice.voided": ("Invoice voided", "file-invoice"),
    "billing.payment.recorded": ("Payment recorded", "cash"),
}


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """One line of the timeline component."""

    title: str
    at: datetime
    body: str
    actor: str
    icon: str
    tone: str = "idle"
    url: str = ""


def customer_activity(actor: Actor, customer: Customer) -> QuerySet[AuditEvent]:
    """Newest first. Raises nothing: an actor who does not see the customer gets an empty trail."""
    if not actor.sees(customer.pk):
        return AuditEvent.objects.none()
    return AuditEvent.objects.filter(owner_key=customer.subject_key).order_by("-id")


def describe(event: AuditEvent) -> ActivityEntry:
    words = event.action.replace(".", " ").replace("_", " ")
    title, icon = _WORDS.get(event.action, (words[:1].upper() + words[1:], "point"))
    label = event.target_label or ""
    return ActivityEntry(f"{title}: {label}" if label else title, event.at, _change(event), event.actor_label, icon)


def _change(event: AuditEvent) -> str:
    """The one change worth a line: state from and to, or what was set."""
    after, before = event.after or {}, event.before or {}
    if "status" in after and "status" in before:
        reason = f" – {after['reason']}" if after.get("reason") else ""
        return f"{_word(before['status'])} → {_word(after['status'])}{reason}"
    changed = [key for key, value in after.items() if before and before.get(key) != value]
    if changed:
        return "Changed: " + ", ".join(_word(key).lower() for key in changed)
    return str(after.get("reason", ""))


def _word(value: object) -> str:
    text = str(value).replace("_", " ")
    return text[:1].upper() + text[1:]
