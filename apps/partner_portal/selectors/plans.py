"""What can be sold and promised now: the newest version of each plan and policy."""

from __future__ import annotations

from django.db.models import Count, Q

from apps.billing.models import PlanVersion, SubscriptionStatus
from apps.sla.models import SlaPolicyVersion


def current_plan_versions(*, currency: str = "") -> list[PlanVersion]:
    """The newest published version of every plan on offer, by name."""
    versions = PlanVersion.objects.filter(plan__archived_at=None, published_at__isnull=False)
    if currency:
        versions = versions.filter(currency=currency)
    newest = versions.order_by("plan_id", "-number").distinct("plan_id").values("pk")
    taken = Count("subscriptions", filter=~Q(subscriptions__status=SubscriptionStatus.CANCELED))
    found = PlanVersion.objects.filter(pk__in=newest).select_related("plan").prefetch_related("prices")
    return list(found.annotate(subscription_count=taken).order_by("plan__name"))


def current_policy_versions() -> list[SlaPolicyVersion]:
    newest = (
        SlaPolicyVersion.objects.filter(policy__archived_at=None)
        .order_by("policy_id", "-number")
        .distinct("policy_id")
        .values("pk")
    )
    in_force = Count("assignments", filter=Q(assignments__ends_at=None))
    found = SlaPolicyVersion.objects.filter(pk__in=newest).select_related("policy").annotate(customer_count=in_force)
    return list(found.order_by("policy__name"))
