"""When flows run next, from the platform's work list."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from apps.core.planes import require_tenant_schema
from apps.dispatch.models import WorkItem
from apps.flows.services.integrations import FLOW_DUE_KIND


def next_runs(flow_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """Flows that wait for nothing are left out."""
    keys = {str(flow_id): flow_id for flow_id in flow_ids}
    rows = WorkItem.objects.filter(schema=require_tenant_schema(), kind=FLOW_DUE_KIND, key__in=list(keys))
    return {keys[key]: due_at for key, due_at in rows.values_list("key", "due_at")}
