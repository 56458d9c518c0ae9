from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.connectors.models import Connection
from apps.connectors.outbound import allowed_hosts
from apps.connectors.selectors import CallUsage, get_call_usage, get_connection, list_connections
from apps.connectors.services import (
    check_connection,
    create_connection,
    pause_connection,
    resume_connection,
    set_allowed_hosts,
)
from apps.core import clock
from apps.customers.models import EnvironmentKind
from apps.customers.selectors import get_customer, get_environment


class CircuitSerializer(serializers.Serializer[Any]):
    """`open`: the system kept failing and is not called until then; `half_open`: the next call decides for all."""

    state = serializers.ChoiceField(["closed", "open", "half_open"])
    failures = serializers.IntegerField(help_text="Calls that failed in a row, over all workers.")
    opened_at = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    id = PublicIdField("connection")
    customer = PublicIdField("customer", source="customer_id")
    environment = serializers.CharField(source="environment.kind")
    circuit = serializers.SerializerMethodField()

    class Meta:
        model = Connection
        fields = ("id", "customer", "environment", "vendor", "name", "status", "status_reason", "circuit",
                  "account_id", "account_name", "checked_at", "created_at")  # fmt: skip

    @extend_schema_field(CircuitSerializer)
    def get_circuit(self, connection: Connection) -> dict[str, Any]:
        given = {
            "state": connection.circuit_state(clock.now()), "failures": connection.circuit_failures,
            "opened_at": connection.circuit_opened_at, "until": connection.circuit_until,
        }  # fmt: skip
        return dict(CircuitSerializer(given).data)


class ConnectionInput(serializers.Serializer[Any]):
    customer = PublicIdField("customer")
    environment = serializers.ChoiceField(EnvironmentKind.choices, default=EnvironmentKind.PRODUCTION)
    vendor = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=120)
    settings = serializers.DictField(child=serializers.CharField(allow_blank=True), default=dict)
    secrets = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        default=dict,
        write_only=True,
        help_text="Sealed; never returned.",
    )


class CallUsageSerializer(serializers.Serializer[CallUsage]):
    calls_today = serializers.IntegerField(help_text="Booked since midnight UTC, over all workers.")
    calls_per_day = serializers.IntegerField(allow_null=True, help_text="Null where the system counts no days.")


class ConnectionDetailSerializer(ConnectionSerializer):
    usage = serializers.SerializerMethodField()

    class Meta(ConnectionSerializer.Meta):
        fields = (*ConnectionSerializer.Meta.fields, "usage")  # type: ignore[assignment]

    @extend_schema_field(CallUsageSerializer)
    def get_usage(self, connection: Connection) -> dict[str, Any]:
        return dict(CallUsageSerializer(get_call_usage(connection, clock.now())).data)


class AllowedHostsSerializer(serializers.Serializer[Any]):
    hosts = serializers.ListField(
        child=serializers.CharField(max_length=300), max_length=1000,
        help_text="Names such as api.example.com or *.example.com. Empty: every public address may be called.",
    )  # fmt: skip


class AllowedHosts(ApiView):
    tag = "Connections"
    scopes = {"GET": "security.manage", "PUT": "security.manage"}

    @extend_schema(responses=AllowedHostsSerializer)
    def get(self, request: Request) -> Response:
        """Read which hosts connections may call."""
        return Response(AllowedHostsSerializer({"hosts": allowed_hosts()}).data)

    @extend_schema(
        request=AllowedHostsSerializer,
        responses=AllowedHostsSerializer,
        examples=[OpenApiExample("Two systems", {"hosts": ["api.hubapi.com", "*.xero.com"]}, request_only=True)],
    )
    def put(self, request: Request) -> Response:
        """Replace the list; not where a connection in use would be cut off."""
        kept = set_allowed_hosts(actor=self.actor, now=clock.now(), patterns=self.read(AllowedHostsSerializer)["hosts"])
        return Response(AllowedHostsSerializer({"hosts": kept}).data)


class ConnectionList(ApiView):
    tag = "Connections"
    scopes = {"GET": "connections.view", "POST": "connections.manage"}

    @extend_schema(
        responses=paged(ConnectionSerializer),
        parameters=[*PAGE_PARAMETERS, CUSTOMER_PARAMETER],
    )
    def get(self, request: Request) -> Response:
        """List connections."""
        rows = of_customer(list_connections(self.actor), request)
        return self.list(rows, ConnectionSerializer)

    @extend_schema(request=ConnectionInput, responses={201: ConnectionSerializer})
    def post(self, request: Request) -> Response:
        """Connect a system. The vendor is asked before anything is stored."""
        given = self.read(ConnectionInput)

        def act() -> Response:
            customer = get_customer(self.actor, given.pop("customer"))
            environment = get_environment(customer, given.pop("environment"))
            connection = create_connection(actor=self.actor, now=clock.now(), environment=environment, **given)
            return Response(ConnectionSerializer(connection).data, status=201)

        return self.once(act)


class ConnectionDetail(ApiView):
    tag = "Connections"
    scopes = {"GET": "connections.view"}

    @extend_schema(responses=ConnectionDetailSerializer)
    def get(self, request: Request, connection_id: UUID) -> Response:
        """Read a connection and how much of today's calls it used. Its secrets are never returned."""
        return Response(ConnectionDetailSerializer(get_connection(self.actor, connection_id)).data)


class ConnectionCheck(ApiView):
    tag = "Connections"
    scopes = {"POST": "connections.manage"}

    @extend_schema(request=None, responses=ConnectionSerializer)
    def post(self, request: Request, connection_id: UUID) -> Response:
        """Ask the vendor whether the credentials still work."""

        def act() -> Response:
            connection = get_connection(self.actor, connection_id)
            checked = check_connection(actor=self.actor, now=clock.now(), connection=connection)
            return Response(ConnectionSerializer(checked).data)

        return self.once(act)


class ConnectionPause(ApiView):
    tag = "Connections"
    scopes = {"POST": "connections.manage"}

    @extend_schema(request=None, responses=ConnectionSerializer)
    def post(self, request: Request, connection_id: UUID) -> Response:
        """Read nothing from the system and write nothing to it until it is resumed. What is under way waits."""

        def act() -> Response:
            connection = get_connection(self.actor, connection_id)
            paused = pause_connection(actor=self.actor, now=clock.now(), connection=connection)
            return Response(ConnectionSerializer(paused).data)

        return self.once(act)


class ConnectionResume(ApiView):
    tag = "Connections"
    scopes = {"POST": "connections.manage"}

    @extend_schema(request=None, responses=ConnectionSerializer)
    def post(self, request: Request, connection_id: UUID) -> Response:
        """Use the system again. What waited goes on where it stopped."""

        def act() -> Response:
            connection = get_connection(self.actor, connection_id)
            resumed = resume_connection(actor=self.actor, now=clock.now(), connection=connection)
            return Response(ConnectionSerializer(resumed).data)

        return self.once(act)


def of_customer(rows: Any, request: Request) -> Any:
    """The rows of the customer named in the query, if one is named. Raises ValidationError for a malformed id."""
    customer_id = asked_customer(request)
    return rows if customer_id is None else rows.filter(customer_id=customer_id)


def asked_customer(request: Request) -> UUID | None:
    """The customer named in the query. Raises ValidationError for a malformed id."""
    given = request.query_params.get("customer")
    if given is None:
        return None
    try:
        return PublicIdField("customer").to_internal_value(given)
    except serializers.ValidationError as error:
        raise ValidationError({"customer": error.detail}) from error
