"""Outgoing webhooks: endpoints, their deliveries, and sending again."""

from __future__ import annotations

from datetime import timedelta
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
from apps.notifications.models import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint
from apps.notifications.selectors import get_delivery, get_endpoint, list_deliveries, list_endpoints
from apps.notifications.services import (
    Selection,
    create_endpoint,
    pause_endpoint,
    remove_endpoint,
    replay_delivery,
    replay_selection,
    resume_endpoint,
    rotate_secret,
    send_test,
    update_endpoint,
)

SCOPES = {"GET": "webhooks.view", "POST": "webhooks.manage", "PATCH": "webhooks.manage", "DELETE": "webhooks.manage"}


class EndpointSerializer(serializers.Serializer[WebhookEndpoint]):
    """No `events`: all of them. With a `customer` it hears of that customer alone."""

    id = PublicIdField("webhook_endpoint")
    customer = PublicIdField("customer", source="customer_id", allow_null=True)
    url = serializers.CharField()
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    contact_email = serializers.CharField(help_text="Told when the endpoint is switched off.")
    status = serializers.ChoiceField(EndpointStatus.choices)
    status_reason = serializers.CharField()
    failing_since = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class NewEndpointSerializer(EndpointSerializer):
    """`secret` is told this once."""

    secret = serializers.CharField()


class SecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField()


class EndpointChange(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(child=serializers.CharField(max_length=80), required=False)
    description = serializers.CharField(max_length=160, required=False, allow_blank=True)
    contact_email = serializers.EmailField(required=False, allow_blank=True)


class EndpointInput(EndpointChange):
    url = serializers.CharField(max_length=500)
    customer = PublicIdField("customer", required=False, allow_null=True)


class RotateInput(serializers.Serializer[Any]):
    overlap_hours = serializers.IntegerField(
        min_value=0, max_value=168, default=24, help_text="How long the old secret signs too."
    )


class AttemptSerializer(serializers.Serializer[Any]):
    at = serializers.CharField(help_text="ISO 8601.")
    status = serializers.IntegerField(allow_null=True, help_text="HTTP status; null when there was no answer.")
    error = serializers.CharField()
    excerpt = serializers.CharField(help_text="The beginning of the answer.")
    duration_ms = serializers.IntegerField()


class DeliverySerializer(serializers.Serializer[WebhookDelivery]):
    """`message_id` is the `webhook-id` header: the same for every attempt."""

    id = PublicIdField("webhook_delivery")
    endpoint = PublicIdField("webhook_endpoint", source="endpoint_id")
    message_id = serializers.CharField()
    event_type = serializers.CharField()
    is_test = serializers.BooleanField()
    occurred_at = serializers.DateTimeField()
    status = serializers.ChoiceField(DeliveryStatus.choices)
    attempts = serializers.IntegerField(source="attempt_count")
    next_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    last_status = serializers.IntegerField(allow_null=True)
    last_error = serializers.CharField()


class DeliveryDetailSerializer(DeliverySerializer):
    body = serializers.CharField(help_text="What is sent and signed, byte for byte.")
    log = AttemptSerializer(many=True)


class ReplayInput(serializers.Serializer[Any]):
    """Without `statuses`: what failed or was withdrawn."""

    statuses = serializers.ListField(
        child=serializers.ChoiceField(["delivered", "failed", "withdrawn"]), required=False, allow_empty=False
    )
    events = serializers.ListField(child=serializers.CharField(max_length=80), required=False)
    since = serializers.DateTimeField(required=False, help_text="The event happened then or later.")
    until = serializers.DateTimeField(required=False, help_text="The event happened before.")


class ReplaySerializer(serializers.Serializer[Any]):
    deliveries = serializers.IntegerField()


class EndpointList(ApiView):
    tag = "Webhooks"
    scopes = SCOPES

    @extend_schema(responses=paged(EndpointSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        """List endpoints, newest first. Keys of a customer see that customer's."""
        return self.list(list_endpoints(self.actor), EndpointSerializer)

    @extend_schema(request=EndpointInput, responses={201: NewEndpointSerializer})
    def post(self, request: Request) -> Response:
        """Add an endpoint. The answer holds its secret, which is told this once."""
        given = self.read(EndpointInput)

        def act() -> Response:
            customer_id = given.pop("customer", None)
            endpoint, secret = create_endpoint(actor=self.actor, now=clock.now(), customer_id=customer_id, **given)
            return Response({**EndpointSerializer(endpoint).data, "secret": secret}, status=201)

        return self.once(act, told_once=("secret",))


class EndpointDetail(ApiView):
    tag = "Webhooks"
    scopes = SCOPES

    @extend_schema(responses=EndpointSerializer)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Read an endpoint."""
        return Response(EndpointSerializer(get_endpoint(self.actor, endpoint_id)).data)

    @extend_schema(request=EndpointChange, responses=EndpointSerializer)
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change an endpoint. What waits goes to the new address."""
        endpoint = get_endpoint(self.actor, endpoint_id)
        given = self.read(EndpointChange)
        return Response(
            EndpointSerializer(update_endpoint(actor=self.actor, now=clock.now(), endpoint=endpoint, **given)).data
        )

    @extend_schema(responses={204: None})
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """Remove an endpoint with its secrets and its log."""
        remove_endpoint(actor=self.actor, now=clock.now(), endpoint=get_endpoint(self.actor, endpoint_id))
        return Response(status=204)


class EndpointAct(ApiView):
    tag = "Webhooks"
    scopes = {"POST": "webhooks.manage"}


class EndpointPause(EndpointAct):
    @extend_schema(request=None, responses=EndpointSerializer)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Hold deliveries back. What happens meanwhile waits."""
        endpoint = get_endpoint(self.actor, endpoint_id)
        return self.once(
            lambda: Response(
                EndpointSerializer(pause_endpoint(actor=self.actor, now=clock.now(), endpoint=endpoint)).data
            )
        )


class EndpointResume(EndpointAct):
    @extend_schema(request=None, responses=EndpointSerializer)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Attempt deliveries again, after a pause or after the endpoint was switched off."""
        endpoint = get_endpoint(self.actor, endpoint_id)
        return self.once(
            lambda: Response(
                EndpointSerializer(resume_endpoint(actor=self.actor, now=clock.now(), endpoint=endpoint)).data
            )
        )


class EndpointRotate(EndpointAct):
    @extend_schema(request=RotateInput, responses=SecretSerializer)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Make a new secret, told this once. The old one signs too for a while."""
        endpoint, given = get_endpoint(self.actor, endpoint_id), self.read(RotateInput)
        overlap = timedelta(hours=given["overlap_hours"])
        return self.once(
            lambda: Response(
                {"secret": rotate_secret(actor=self.actor, now=clock.now(), endpoint=endpoint, overlap=overlap)}
            ),
            told_once=("secret",),
        )


class EndpointTest(EndpointAct):
    @extend_schema(request=None, responses={202: DeliverySerializer})
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send a test event to this endpoint, whatever it subscribes to."""
        endpoint = get_endpoint(self.actor, endpoint_id)
        return self.once(
            lambda: Response(
                DeliverySerializer(send_test(actor=self.actor, now=clock.now(), endpoint=endpoint)).data, status=202
            )
        )


class EndpointReplay(EndpointAct):
    @extend_schema(request=ReplayInput, responses={202: ReplaySerializer})
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send a range again, each message with the id it had, in the order the events happened."""
        endpoint, given = get_endpoint(self.actor, endpoint_id), self.read(ReplayInput)
        defaults = Selection()
        selection = Selection(
            statuses=tuple(given.get("statuses", defaults.statuses)), event_types=tuple(given.get("events", ())),
            since=given.get("since"), until=given.get("until"),
        )  # fmt: skip

        def act() -> Response:
            count = replay_selection(actor=self.actor, now=clock.now(), endpoint=endpoint, selection=selection)
            return Response({"deliveries": count}, status=202)

        return self.once(act)


class DeliveryList(ApiView):
    tag = "Webhooks"
    scopes = {"GET": "webhooks.view"}

    @extend_schema(
        responses=paged(DeliverySerializer),
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("status", str, enum=list(DeliveryStatus.values)),
            OpenApiParameter("event", str, description="Name of an event type."),
        ],
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """List an endpoint's deliveries, newest first."""
        rows = list_deliveries(self.actor, get_endpoint(self.actor, endpoint_id))
        status, event = self.asked("status", DeliveryStatus.values), request.query_params.get("event")
        rows = rows.filter(status=status) if status else rows
        return self.list(rows.filter(event_type=event) if event else rows, DeliverySerializer)


class DeliveryDetail(ApiView):
    tag = "Webhooks"
    scopes = {"GET": "webhooks.view"}

    @extend_schema(responses=DeliveryDetailSerializer)
    def get(self, request: Request, delivery_id: UUID) -> Response:
        """Read a delivery: what is sent, and every attempt with what was answered."""
        return Response(DeliveryDetailSerializer(get_delivery(self.actor, delivery_id)).data)


class DeliveryReplay(ApiView):
    tag = "Webhooks"
    scopes = {"POST": "webhooks.manage"}

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """Send a delivery again, with the id it had."""
        delivery = get_delivery(self.actor, delivery_id)
        return self.once(
            lambda: Response(
                DeliverySerializer(replay_delivery(actor=self.actor, now=clock.now(), delivery=delivery)).data,
                status=202,
            )
        )
