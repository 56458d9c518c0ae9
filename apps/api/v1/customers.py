from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import PAGE_PARAMETERS
from apps.core import clock
from apps.customers.models import Customer
from apps.customers.selectors import get_customer, list_customers
from apps.customers.services import create_customer, update_customer


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    id = PublicIdField("customer")

    class Meta:
        model = Customer
        fields = ("id", "name", "currency", "time_zone", "locale", "country", "contact_name", "contact_email",
                  "lifecycle", "created_at")  # fmt: skip


class CustomerInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=160)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False, help_text="ISO 4217 code, fixed from then on.")
    time_zone = serializers.CharField(max_length=64, required=False, help_text="IANA zone, such as Europe/Berlin.")
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False, help_text="ISO 3166 code.")
    contact_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    contact_email = serializers.EmailField(required=False, allow_blank=True)


class CustomerChange(CustomerInput):
    name = serializers.CharField(max_length=160, required=False)


class CustomerList(ApiView):
    tag = "Customers"
    scopes = {"GET": "customers.view", "POST": "customers.manage"}

    @extend_schema(
        responses=paged(CustomerSerializer),
        parameters=[*PAGE_PARAMETERS, OpenApiParameter("search", str, description="Part of the name or address.")],
    )
    def get(self, request: Request) -> Response:
        """List customers."""
        return self.list(list_customers(self.actor, search=request.query_params.get("search", "")), CustomerSerializer)

    @extend_schema(request=CustomerInput, responses={201: CustomerSerializer})
    def post(self, request: Request) -> Response:
        """Create a customer, with its production and sandbox environments."""
        given = self.read(CustomerInput)

        def act() -> Response:
            customer = create_customer(actor=self.actor, now=clock.now(), **given)
            return Response(CustomerSerializer(customer).data, status=201)

        return self.once(act)


class CustomerDetail(ApiView):
    tag = "Customers"
    scopes = {"GET": "customers.view", "PATCH": "customers.manage"}

    @extend_schema(responses=CustomerSerializer)
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Read a customer."""
        return Response(CustomerSerializer(get_customer(self.actor, customer_id)).data)

    @extend_schema(request=CustomerChange, responses=CustomerSerializer)
    def patch(self, request: Request, customer_id: UUID) -> Response:
        """Change a customer."""
        customer = get_customer(self.actor, customer_id)
        changed = update_customer(actor=self.actor, now=clock.now(), customer=customer, **self.read(CustomerChange))
        return Response(CustomerSerializer(changed).data)
