"""The six business services as API calls: `POST /services/{service}`, each with its published JSON Schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.fields import PublicIdField
from apps.core import clock
from apps.core.ids import encode_id
from apps.customers.models import EnvironmentKind
from apps.customers.selectors import get_customer, get_environment
from apps.sync.business import INPUTS, TITLES, Outcome, input_schema
from apps.sync.services import call_business_service

_RECORD = "rec_0192b7a09c3e7d0fa4f0f2a7c1d2e3f4"
EXAMPLES: dict[str, dict[str, Any]] = {
    "create_customer": {"name": "Vulcan Industries", "tax_id": "DE123456789", "currency": "EUR"},
    "provision_project": {"opportunity": _RECORD, "first_task": "Kick-off"},
    "update_resource": {"email": "anna@example.com", "status": "inactive"},
    "generate_invoice": {
        "project": _RECORD, "due_date": "2026-12-31",
        "lines": [{"description": "Workshop", "quantity": "2.5", "unit_price": {"amount": 12000, "currency": "EUR"}}],
    },
    "payment_status": {"opportunity": _RECORD},
    "complete_milestone": {"milestone": _RECORD, "completed_date": "2026-11-20"},
}  # fmt: skip


class OutcomeSerializer(serializers.Serializer[Outcome]):
    """The record that the service made, changed or looked at."""

    record = PublicIdField("record", source="record.id")
    entity = serializers.CharField(source="record.entity")
    title = serializers.CharField(source="record.title")
    created = serializers.BooleanField(source="is_new")
    data = serializers.JSONField(  # type: ignore[assignment]
        source="record.data", help_text="The record's fields; see `/schemas/{entity}`."
    )
    result = serializers.JSONField(source="values", help_text="What a look-up found; empty for the others.")


class CallEnvelope(serializers.Serializer[Any]):
    customer = PublicIdField("customer")
    environment = serializers.ChoiceField(EnvironmentKind.choices, default=EnvironmentKind.PRODUCTION)
    inputs = serializers.DictField(help_text="What the service takes; its JSON Schema is at `GET /services`.")


class ServiceList(ApiView):
    tag = "Business services"
    scopes = {"GET": "services.call"}

    @extend_schema(
        responses=inline_serializer(
            "BusinessServices",
            {"data": serializers.ListField(child=serializers.DictField(), help_text="name, title and input schema")},
        )
    )
    def get(self, request: Request) -> Response:
        """List the business services with the JSON Schemas of what they take."""
        data = [{"name": name, "title": TITLES[name], "input": input_schema(name)} for name in sorted(INPUTS)]
        return Response({"data": data})


class ServiceCall(ApiView):
    tag = "Business services"
    scopes = {"POST": "services.call"}

    @extend_schema(
        request=CallEnvelope,
        responses={200: OutcomeSerializer, 201: OutcomeSerializer},
        examples=[
            OpenApiExample(
                TITLES[name], request_only=True,
                value={"customer": "cus_0192b7a09c3e7d0fa4f0f2a7c1d2e3f4", "inputs": inputs},
            )
            for name, inputs in EXAMPLES.items()
        ],
    )  # fmt: skip
    def post(self, request: Request, service: str) -> Response:
        """Call a business service. The customer's integrations bring what it changes to the systems.

        With an `Idempotency-Key` the same call is made once, for good.
        """
        given = self.read(CallEnvelope)

        def act() -> Response:
            customer = get_customer(self.actor, given["customer"])
            outcome = call_business_service(
                actor=self.actor, now=clock.now(), service=_known(service), inputs=given["inputs"],
                environment=get_environment(customer, given["environment"]),
                key=request.headers.get("Idempotency-Key", ""),
            )  # fmt: skip
            location = f"/api/v1/records/{encode_id('rec', outcome.record.id)}"
            status = 201 if outcome.is_new else 200
            return Response(OutcomeSerializer(outcome).data, status=status, headers={"Location": location})

        return self.once(act)


def _known(service: str) -> str:
    if service not in INPUTS:
        raise ValidationError({"service": [f"Use one of {', '.join(sorted(INPUTS))}."]})
    return service
