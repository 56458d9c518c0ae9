from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import MoneySerializer, PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.api.v1.connections import asked_customer
from apps.billing.models import Invoice, InvoiceLine, InvoiceStatus
from apps.billing.selectors import get_invoice, list_invoices
from apps.billing.services import keep_document
from apps.core import clock
from apps.core.errors import NotVisible
from apps.core.ids import encode_id


def _money(invoice: Invoice, amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": invoice.currency}


class InvoiceSerializer(serializers.Serializer[Invoice]):
    id = PublicIdField("invoice")
    customer = serializers.SerializerMethodField()
    number = serializers.CharField(allow_null=True, help_text="Null while a draft.")
    status = serializers.CharField()
    issue_date = serializers.DateField(allow_null=True)
    due_date = serializers.DateField(allow_null=True)
    period_start = serializers.DateTimeField(source="period.period_start", allow_null=True, default=None)
    period_end = serializers.DateTimeField(source="period.period_end", allow_null=True, default=None)
    subtotal = serializers.SerializerMethodField()
    tax = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()
    paid = serializers.SerializerMethodField()

    def get_customer(self, invoice: Invoice) -> str | None:
        """Id of the customer billed."""
        kind, _, identifier = invoice.account.subject_key.partition(":")
        return encode_id("cus", UUID(identifier)) if kind == "customer" else None

    @extend_schema_field(MoneySerializer)
    def get_subtotal(self, invoice: Invoice) -> dict[str, Any]:
        return _money(invoice, invoice.subtotal_amount)

    @extend_schema_field(MoneySerializer)
    def get_tax(self, invoice: Invoice) -> dict[str, Any]:
        return _money(invoice, invoice.tax_amount)

    @extend_schema_field(MoneySerializer)
    def get_total(self, invoice: Invoice) -> dict[str, Any]:
        return _money(invoice, invoice.total_amount)

    @extend_schema_field(MoneySerializer)
    def get_paid(self, invoice: Invoice) -> dict[str, Any]:
        return _money(invoice, invoice.paid_amount)


class InvoiceLineSerializer(serializers.ModelSerializer[InvoiceLine]):
    """`amount` and `unit_amount` are minor units of the invoice's currency; `unit_amount` may have fractions."""

    class Meta:
        model = InvoiceLine
        fields = ("description", "meter", "quantity", "unit_amount", "amount", "tax_category", "tax_rate")


class InvoiceDetailSerializer(InvoiceSerializer):
    lines = InvoiceLineSerializer(many=True)


class InvoiceList(ApiView):
    tag = "Invoices"
    scopes = {"GET": "billing.view"}

    @extend_schema(responses=paged(InvoiceSerializer), parameters=[*PAGE_PARAMETERS, CUSTOMER_PARAMETER])
    def get(self, request: Request) -> Response:
        """List invoices. A key of one customer sees what was issued to it."""
        customer_id = asked_customer(request)
        rows = list_invoices(self.actor)
        if customer_id is not None:
            rows = rows.filter(account__subject_key=f"customer:{customer_id}")
        return self.list(rows, InvoiceSerializer)


class InvoiceDetail(ApiView):
    tag = "Invoices"
    scopes = {"GET": "billing.view"}

    @extend_schema(responses=InvoiceDetailSerializer)
    def get(self, request: Request, invoice_id: UUID) -> Response:
        """Read an invoice with its lines."""
        return Response(InvoiceDetailSerializer(get_invoice(self.actor, invoice_id)).data)


class InvoicePdf(ApiView):
    tag = "Invoices"
    scopes = {"GET": "billing.view"}

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, invoice_id: UUID) -> HttpResponse:
        """Download the PDF of an issued invoice."""
        invoice = get_invoice(self.actor, invoice_id)
        if invoice.status == InvoiceStatus.DRAFT:
            raise NotVisible("A draft has no document yet.")
        kept = keep_document(invoice=invoice, now=clock.now())
        return HttpResponse(bytes(kept.content), content_type="application/pdf")
