from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Self

from django.db import models

from apps.billing.models.accounts import BillingAccount, LegalEntity
from apps.billing.models.subscriptions import BillingPeriod
from apps.billing.models.usage import UsageEvent
from apps.billing.rating import TaxRule
from apps.core.actor import Actor
from apps.core.ids import uuid7


class InvoiceStatus(models.TextChoices):
    """draft → open → paid | void | uncollectible; what was written off can still be paid or voided. A trigger holds it."""

    DRAFT = "draft", "Draft"
    OPEN = "open", "Open"
    PAID = "paid", "Paid"
    VOID = "void", "Void"
    UNCOLLECTIBLE = "uncollectible", "Uncollectible"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, actor: Actor) -> Self:
        """A customer's people see what was issued to them, never a draft."""
        if actor.scope is None:
            return self
        keys = [f"customer:{owner}" for owner in actor.scope]
        return self.filter(account__subject_key__in=keys).exclude(status=InvoiceStatus.DRAFT)


class Invoice(models.Model):
    """A bill. Draft until issued; from then on a trigger refuses every change but its status and what was paid.

    Amounts are minor units of `currency`. `number` is gapless within the legal entity. `issuer` and `recipient` are
    snapshots of names and addresses as they stood on the day of issue.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="invoices")
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="invoices")
    period = models.OneToOneField(BillingPeriod, null=True, on_delete=models.PROTECT, related_name="invoice")
    number = models.CharField(max_length=40, null=True)
    status = models.CharField(max_length=20, choices=InvoiceStatus, default=InvoiceStatus.DRAFT)
    currency = models.CharField(max_length=3)
    issue_date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    subtotal_amount = models.BigIntegerField(default=0)
    tax_amount = models.BigIntegerField(default=0)
    total_amount = models.BigIntegerField(default=0)
    paid_amount = models.BigIntegerField(default=0)
    tax_breakdown = models.JSONField(default=list)
    issuer = models.JSONField(default=dict)
    recipient = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    status_reason = models.CharField(max_length=300, blank=True)  # why it was voided or written off
    status_changed_at = models.DateTimeField(null=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["legal_entity", "number"], name="invoice_number_once"),
            models.CheckConstraint(
                condition=models.Q(status="draft", number=None) | (~models.Q(status="draft") & ~models.Q(number=None)),
                name="issued_invoice_has_number",
            ),
            models.CheckConstraint(
                condition=models.Q(paid_amount__gte=0, paid_amount__lte=models.F("total_amount")),
                name="paid_at_most_total",
            ),
        ]

    def __str__(self) -> str:
        return self.number or "Draft"

    @property
    def subject_key(self) -> str:
        return f"invoice:{self.pk}"

    @property
    def owner_key(self) -> str:
        return self.account.subject_key

    @property
    def owed_amount(self) -> int:
        """What is still to be paid; nothing before it is issued and nothing once it is void."""
        if self.status in (InvoiceStatus.DRAFT, InvoiceStatus.VOID):
            return 0
        return self.total_amount - self.paid_amount

    @property
    def tax_lines(self) -> list[tuple[str, int]]:
        """Each tax by its name and rate, with its amount: what stands between subtotal and total."""
        return [
            (TaxRule(category=row["category"], rate=Decimal(row["rate"])).label, row["tax_amount"])
            for row in self.tax_breakdown
        ]


class InvoiceLine(models.Model):
    """One position. `amount` = quantity × unit_amount, rounded half up once, in minor units."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=250)
    meter = models.CharField(max_length=40, blank=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=3)
    unit_amount = models.DecimalField(max_digits=18, decimal_places=6)
    amount = models.BigIntegerField()
    tax_category = models.CharField(max_length=4, default="S")  # EN 16931 code: S standard, Z zero, AE reverse charge
    tax_rate = models.DecimalField(max_digits=6, decimal_places=3, default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["invoice", "position"], name="line_position_once")]

    def __str__(self) -> str:
        return self.description


class UsageCharge(models.Model):
    """This usage event was billed by this line: every cent leads back to its rows, and none is billed twice."""

    id = models.BigAutoField(primary_key=True)
    usage_event = models.OneToOneField(UsageEvent, on_delete=models.PROTECT, related_name="charge")
    line = models.ForeignKey(InvoiceLine, on_delete=models.CASCADE, related_name="usage_charges")

    def __str__(self) -> str:
        return f"{self.usage_event_id} in {self.line_id}"


class InvoiceDocument(models.Model):
    """The PDF as issued: bytes in the partner's schema, so that a partner restores whole."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="document")
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.sha256[:12]


class PaidBy(models.TextChoices):
    BANK_TRANSFER = "bank_transfer", "Bank transfer"
    CARD = "card", "Card"
    CASH = "cash", "Cash"
    OTHER = "other", "Other"


class Payment(models.Model):
    """Money received for an invoice, recorded by a person (card payment comes through Stripe later). Never changed.

    `key` is the form or API request that recorded it: the same one sent twice is the same payment.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    amount = models.BigIntegerField()
    paid_on = models.DateField()
    method = models.CharField(max_length=40, choices=PaidBy)
    reference = models.CharField(max_length=120, blank=True)
    key = models.CharField(max_length=200, null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="payment_positive"),
            models.UniqueConstraint(fields=["invoice", "key"], name="payment_once_per_key"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} on {self.paid_on}"
