"""Older forms of a definition, read as what they meant. What is stored is never rewritten."""

from __future__ import annotations

from typing import Any

# What an aggregate without a line meant: approved, billable time at the rate card.
INVOICED_TIME: dict[str, Any] = {
    "match": {"status": "approved", "billable": True},
    "until": 'get(settings, "cut_off") == "month end" ? start_of_month(today) : null',
    "label": "time",
    "fields": {
        "status": 'coalesce(get(settings, "invoice_status"), "draft")',
        "issue_date": "today",
        "due_date": 'add_days(today, coalesce(get(settings, "payment_days"), 0))',
    },
    "refs": {"project": "self", "account": "account"},
    "line": {
        "description": (
            'text(linked.task.name) == "" ? coalesce(linked.resource.name, "Work") : (text(linked.resource.name) == ""'
            ' ? linked.task.name : linked.task.name + " – " + linked.resource.name)'
        ),
        "unit_price": (
            'demand(coalesce(money(listed(get(settings, "rate_card"), linked.resource.email), settings.currency),'
            ' get(settings, "default_rate")), "There is no hourly rate for " + coalesce(linked.resource.name,'
            ' "somebody unknown") + " (" + coalesce(linked.resource.email, "no e-mail") + ").")'
        ),
        "quantity": "hours(total.duration_seconds)",
    },
}
DEFAULT_SECONDS = 300


def upgraded_template(data: dict[str, Any]) -> dict[str, Any]:
    flows = data.get("flows")
    if not isinstance(flows, list):
        return data
    return {**data, "flows": [upgraded_flow(flow) if isinstance(flow, dict) else flow for flow in flows]}


def upgraded_flow(data: dict[str, Any]) -> dict[str, Any]:
    """`schedule_seconds` and `webhook_role` become triggers, an aggregate without a line collects time."""
    found = {name: value for name, value in data.items() if name not in ("schedule_seconds", "webhook_role")}
    if "triggers" not in data:
        found["triggers"] = _triggers(data)
    if isinstance(data.get("aggregate"), list):
        found["aggregate"] = [_aggregate(spec) for spec in data["aggregate"]]
    return found


def _triggers(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Such a flow ran on schedule, on demand, and for every change that one of its systems told of."""
    reads = data.get("reads")
    read = [r.get("role") for r in reads if isinstance(r, dict)] if isinstance(reads, list) else []
    roles = [role for role in dict.fromkeys([data.get("webhook_role"), *read]) if role]
    return [
        {"every": data.get("schedule_seconds", DEFAULT_SECONDS)},
        *({"webhook": role} for role in roles),
        {"manual": True},
        {"api": True},
    ]


def _aggregate(spec: Any) -> Any:
    return {**INVOICED_TIME, **spec} if isinstance(spec, dict) and "line" not in spec else spec
