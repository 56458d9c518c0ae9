from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.fields import PublicIdField
from apps.billing.models import PaidBy, Payment
from apps.billing.selectors import get_invoice
from apps.billing.services import record_payment
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError


class IdempotencyKeyMissing(AnticipatedError):
    """Money is booked only for a request that can be told from its repetition."""

    code = "idempotency_key_missing"


class PaymentInput(serializers.Serializer[Any]):
    amount = serializers.IntegerField(min_value=1, help_text="Minor units of the invoice's currency.")
    paid_on = serializers.DateField(help_text="The day the money arrived; not in the future.")
    method = serializers.ChoiceField(PaidBy.choices)
    reference = serializers.CharField(max_length=120, required=False, allow_blank=True)


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    invoice = PublicIdField("invoice", source="invoice_id")

    class Meta:
        model = Payment
        fields = ("invoice", "amount", "paid_on", "method", "reference", "created_at")


def _key_of(actor: Actor, value: str) -> str:
    """Two robots may use the same words; each payment remembers whose they were, in a length that can be kept."""
    return f"api:{sha256(f'{actor.id}:{value}'.encode()).hexdigest()}"


class InvoicePaymentList(ApiView):
    tag = "Invoices"
    scopes = {"POST": "billing.manage"}

    @extend_schema(request=PaymentInput, responses={201: PaymentSerializer})
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Record a payment. Takes an `Idempotency-Key`: the same one sent twice is one payment, for ever."""
        key, given = request.headers.get("Idempotency-Key", ""), self.read(PaymentInput)
        if not key:
            raise IdempotencyKeyMissing("Send an Idempotency-Key with every payment, a new one for each.")

        def act() -> Response:
            payment = record_payment(
                actor=self.actor, now=clock.now(), invoice=get_invoice(self.actor, invoice_id),
                key=_key_of(self.actor, key), **given,
            )  # fmt: skip
            return Response(PaymentSerializer(payment).data, status=201)

        return self.once(act)
