from apps.billing.models.accounts import BillingAccount, LegalEntity
from apps.billing.models.invoices import (
    Invoice,
    InvoiceDocument,
    InvoiceLine,
    InvoiceStatus,
    PaidBy,
    Payment,
    UsageCharge,
)
from apps.billing.models.plans import Plan, PlanVersion, Price, PriceKind
from apps.billing.models.subscriptions import BillingPeriod, Subscription, SubscriptionStatus
from apps.billing.models.usage import UsageEvent

__all__ = [
    "BillingAccount",
    "BillingPeriod",
    "Invoice",
    "InvoiceDocument",
    "InvoiceLine",
    "InvoiceStatus",
    "LegalEntity",
    "PaidBy",
    "Payment",
    "Plan",
    "PlanVersion",
    "Price",
    "PriceKind",
    "Subscription",
    "SubscriptionStatus",
    "UsageCharge",
    "UsageEvent",
]
