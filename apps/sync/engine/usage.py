"""What is metered: records created or updated at a target, in production."""

from __future__ import annotations

from datetime import datetime

from apps.billing.services import note_usage
from apps.sync.engine.context import RunContext
from apps.sync.engine.hashing import digest
from apps.sync.engine.intents import Intent

RECORDS_SYNCED = "records_synced"


def meter_writes(context: RunContext, confirmed: list[Intent], now: datetime) -> None:
    """This function will record the usage in the confirming transaction: an intent is confirmed once, so it counts once."""
    if not confirmed or not context.is_production or context.is_dry:
        return
    page = digest(sorted(str(intent.id) for intent in confirmed))[:12]
    note_usage(
        subject_key=f"customer:{context.flow.customer_id}",
        meter=RECORDS_SYNCED,
        quantity=len(confirmed),
        key=f"{context.run_id}:{page}:{RECORDS_SYNCED}",
        occurred_at=now,
        now=now,
    )
