from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date as babel_date

from apps.billing.models import Invoice
from apps.core.formats import format_money
from apps.core.money import Money
from apps.core.planes import require_tenant_schema
from apps.notifications.services import send_mail
from apps.tenants.selectors import absolute_url, platform_host


def mail_invoice(*, invoice: Invoice, now: datetime) -> None:
    """This function will mail the invoice to the account's billing address, once; without an address nothing happens."""
    account = invoice.account
    if not account.email:
        return
    send_mail(
        kind="billing.invoice_issued",
        recipient=account.email,
        template="invoice_issued",
        key=str(invoice.pk),
        now=now,
        context={
            "number": invoice.number,
            "customer_name": account.legal_name,
            "total": format_money(Money(invoice.total_amount, invoice.currency), account.locale),
            "due_date": invoice.due_date,
            "period_label": _month_of(invoice),
            "url": absolute_url(platform_host(require_tenant_schema()), f"/invoices/{invoice.pk}/"),
        },
    )


def _month_of(invoice: Invoice) -> str:
    if invoice.period is None:
        return ""
    zone = ZoneInfo(invoice.account.time_zone)
    # An anniversary month is named after the month most of its days lie in.
    middle = invoice.period.period_start + (invoice.period.period_end - invoice.period.period_start) / 2
    return str(babel_date(middle.astimezone(zone), "MMMM y", locale="en"))
