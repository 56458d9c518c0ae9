"""The wave plan over the API, and the whole estate as a text: planned, then carried out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.examples import an_id
from apps.api.fields import PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.api.v1.configuration import DetailSerializer
from apps.api.v1.connections import of_customer
from apps.core import clock
from apps.customers.selectors import get_customer
from apps.modernization.models import MigrationWave
from apps.modernization.models.estate import GONE
from apps.modernization.selectors import get_wave, list_waves
from apps.modernization.services import (
    WaveDraft,
    add_wave,
    amend_wave,
    apply_estate,
    plan_estate,
    remove_wave,
)

LIST = "name,kind,source,target,wave\nNightly invoice file,file_drop,ERP,Billing,1 Money\n"


class WaveChange(serializers.Serializer[Any]):
    """What is not given stays."""

    name = serializers.CharField(max_length=80, required=False)
    position = serializers.IntegerField(min_value=1, max_value=999, required=False)
    goal = serializers.CharField(max_length=300, required=False, allow_blank=True)
    starts_on = serializers.DateField(required=False, allow_null=True)
    cut_over_on = serializers.DateField(required=False, allow_null=True)


class WaveInput(WaveChange):
    customer = PublicIdField("customer")
    name = serializers.CharField(max_length=80)


class WaveSerializer(serializers.Serializer[MigrationWave]):
    id = PublicIdField("migration_wave")
    customer = PublicIdField("customer", source="customer_id")
    name = serializers.CharField()
    position = serializers.IntegerField()
    goal = serializers.CharField()
    starts_on = serializers.DateField(allow_null=True)
    cut_over_on = serializers.DateField(allow_null=True)
    interface_count = serializers.IntegerField()
    done_count = serializers.IntegerField(help_text="Interfaces of it that are cut over or retired.")


class EstateInput(serializers.Serializer[Any]):
    text = serializers.CharField(
        trim_whitespace=False, max_length=200_000, help_text="CSV with one interface a line, or YAML with waves too."
    )


class EstateEntrySerializer(serializers.Serializer[Any]):
    what = serializers.ChoiceField(["wave", "interface"])
    name = serializers.CharField()
    action = serializers.ChoiceField(["create", "change", "same"])
    line = serializers.IntegerField(help_text="0 where it is not known.")
    details = DetailSerializer(many=True)
    problems = serializers.ListField(child=serializers.CharField())


class EstatePlanSerializer(serializers.Serializer[Any]):
    """With a problem nothing is carried out."""

    is_empty = serializers.BooleanField(help_text="Whether there is nothing to do.")
    entries = EstateEntrySerializer(many=True)


def _with_counts(rows: Any) -> Any:
    gone = Q(interfaces__status__in=GONE)
    return rows.annotate(interface_count=Count("interfaces"), done_count=Count("interfaces", filter=gone))


def _answer(view: ApiView, wave_id: UUID, status: int = 200) -> Response:
    wave = _with_counts(list_waves(view.actor)).get(pk=wave_id)
    return Response(WaveSerializer(wave).data, status=status)


class WaveList(ApiView):
    tag = "Modernization"
    scopes = {"GET": "integrations.view", "POST": "integrations.manage"}

    @extend_schema(
        responses=paged(WaveSerializer),
        parameters=[*PAGE_PARAMETERS, CUSTOMER_PARAMETER],
    )
    def get(self, request: Request) -> Response:
        """List waves, the last added first; `position` is their order."""
        return self.list(_with_counts(of_customer(list_waves(self.actor), request)), WaveSerializer)

    @extend_schema(
        request=WaveInput, responses={201: WaveSerializer},
        examples=[
            OpenApiExample(
                "Money first", {"customer": an_id("cus"), "name": "1 Money", "cut_over_on": "2026-12-01"}, request_only=True
            )
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Add a wave; without a position it comes last."""

        def act() -> Response:
            given = self.read(WaveInput)
            customer = get_customer(self.actor, given.pop("customer"))
            wave = add_wave(actor=self.actor, now=clock.now(), customer=customer, draft=WaveDraft(**given))
            return _answer(self, wave.pk, 201)

        return self.once(act)


class WaveDetail(ApiView):
    tag = "Modernization"
    scopes = {"GET": "integrations.view", "PATCH": "integrations.manage", "DELETE": "integrations.manage"}

    @extend_schema(responses=WaveSerializer)
    def get(self, request: Request, wave_id: UUID) -> Response:
        """Read a wave."""
        return _answer(self, get_wave(self.actor, wave_id).pk)

    @extend_schema(request=WaveChange, responses=WaveSerializer)
    def patch(self, request: Request, wave_id: UUID) -> Response:
        """Change a wave."""
        wave = get_wave(self.actor, wave_id)
        amend_wave(actor=self.actor, now=clock.now(), wave=wave, said=self.read(WaveChange))
        return _answer(self, wave.pk)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, wave_id: UUID) -> Response:
        """Remove a wave in which nothing stands."""
        remove_wave(actor=self.actor, now=clock.now(), wave=get_wave(self.actor, wave_id))
        return Response(status=204)


class EstatePlanned(ApiView):
    tag = "Modernization"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(
        request=EstateInput, responses=EstatePlanSerializer,
        examples=[OpenApiExample("A list", {"text": LIST}, request_only=True)],
    )  # fmt: skip
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Show what a list of interfaces would add and change; nothing is done."""
        customer, text = get_customer(self.actor, customer_id), self.read(EstateInput)["text"]
        plan = plan_estate(actor=self.actor, now=clock.now(), customer=customer, text=text)
        return Response(EstatePlanSerializer(plan).data)


class EstateApplied(ApiView):
    tag = "Modernization"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(
        request=EstateInput, responses=EstatePlanSerializer,
        examples=[OpenApiExample("A list", {"text": LIST}, request_only=True)],
    )  # fmt: skip
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Make the inventory what a list says, all of it or nothing; again changes nothing."""

        def act() -> Response:
            customer, text = get_customer(self.actor, customer_id), self.read(EstateInput)["text"]
            plan = apply_estate(actor=self.actor, now=clock.now(), customer=customer, text=text)
            return Response(EstatePlanSerializer(plan).data)

        return self.once(act)
