from apps.billing.services.accounts import open_account, update_account, update_legal_entity
from apps.billing.services.closings import void_invoice, write_off_invoice
from apps.billing.services.deliveries import deliver_invoice, keep_document
from apps.billing.services.invoices import close_periods
from apps.billing.services.issuing import issue_invoice, issue_invoices
from apps.billing.services.payments import record_payment
from apps.billing.services.plans import NewPrice, archive_plan, create_plan, publish_plan_version
from apps.billing.services.subscriptions import cancel_subscription, subscribe
from apps.billing.services.usage import UsageEntry, note_usage, record_usage, record_usages

__all__ = [
    "NewPrice",
    "UsageEntry",
    "archive_plan",
    "cancel_subscription",
    "close_periods",
    "create_plan",
    "deliver_invoice",
    "issue_invoice",
    "issue_invoices",
    "keep_document",
    "note_usage",
    "open_account",
    "publish_plan_version",
    "record_payment",
    "record_usage",
    "record_usages",
    "subscribe",
    "update_account",
    "update_legal_entity",
    "void_invoice",
    "write_off_invoice",
]
