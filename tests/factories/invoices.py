"""Invoices before a person issues them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.billing.models import BillingPeriod, Invoice
from apps.billing.services import invoices


def draft_invoice(*, period: BillingPeriod, now: datetime) -> Invoice:
    """The period's draft as its end writes it, or brings it up to date; here also while the period runs."""
    with transaction.atomic():
        (draft,) = invoices._draft(invoices._lock_periods(pk=period.pk), now)
        return draft
