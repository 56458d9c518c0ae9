"""A customer's integrations handed over to the customer it joins, and back, in the caller's transaction and locks."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from apps.customers.models import Environment
from apps.flows.models import Flow, Integration


def hand_over_integrations(*, ids: Collection[UUID | str], target: Environment) -> None:
    """This function will make the integrations, with their flows, the target's."""
    owner = {"customer_id": target.customer_id, "environment_id": target.pk}
    Integration.objects.filter(pk__in=ids).update(**owner)
    Flow.objects.filter(integration_id__in=ids).update(**owner)
