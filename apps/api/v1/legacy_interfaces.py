"""A customer's old interfaces over the API: written down, checked, cut over and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.examples import an_id
from apps.api.fields import PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.api.v1.connections import of_customer
from apps.canonical.models import Entity
from apps.core import clock
from apps.core.actor import Actor
from apps.customers.selectors import get_customer
from apps.flows.selectors import get_integration
from apps.modernization.models import (
    ChecklistPoint,
    Criticality,
    Documentation,
    InterfaceKind,
    InterfaceStatus,
    LegacyInterface,
)
from apps.modernization.readiness import checks_of
from apps.modernization.selectors import get_interface, get_interfaces, get_point, get_wave, list_interfaces
from apps.modernization.services import (
    InterfaceDraft,
    add_interface,
    add_point,
    amend_interface,
    cut_over,
    remove_interface,
    remove_point,
    retire_interface,
    roll_back,
    tick_point,
)

EXAMPLE = OpenApiExample(
    "A nightly file",
    {
        "customer": an_id("cus"), "name": "Nightly invoice file", "kind": "file_drop", "source": "ERP", "target": "Billing",
        "entity": "invoice", "frequency": "nightly at 02:00", "monthly_count": 900, "criticality": "high",
        "integration": an_id("itg"), "way_back": "Start the job inv_export on the file server again.",
    },
    request_only=True,
)  # fmt: skip


class InterfaceChange(serializers.Serializer[Any]):
    """What is not given stays. `depends_on` are interfaces that must be replaced before this one."""

    name = serializers.CharField(max_length=120, required=False)
    kind = serializers.ChoiceField(InterfaceKind.choices, required=False)
    source = serializers.CharField(max_length=120, required=False)  # type: ignore[assignment]
    target = serializers.CharField(max_length=120, required=False)
    entity = serializers.ChoiceField(Entity.choices, required=False, allow_blank=True)
    frequency = serializers.CharField(max_length=120, required=False, allow_blank=True)
    monthly_count = serializers.IntegerField(min_value=0, max_value=2_000_000_000, required=False, allow_null=True)
    owner = serializers.CharField(max_length=120, required=False, allow_blank=True)
    criticality = serializers.ChoiceField(Criticality.choices, required=False)
    documentation = serializers.ChoiceField(Documentation.choices, required=False)
    notes = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    way_back = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    wave = PublicIdField("migration_wave", required=False, allow_null=True)
    integration = PublicIdField("integration", required=False, allow_null=True)
    depends_on = serializers.ListField(child=PublicIdField("legacy_interface"), required=False, max_length=100)


class InterfaceInput(InterfaceChange):
    customer = PublicIdField("customer")
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(InterfaceKind.choices)
    source = serializers.CharField(max_length=120)
    target = serializers.CharField(max_length=120)


class InterfaceSerializer(serializers.Serializer[LegacyInterface]):
    """Rolled back, `status` is `in_use` and `rolled_back_at` is set."""

    id = PublicIdField("legacy_interface")
    customer = PublicIdField("customer", source="customer_id")
    name = serializers.CharField()
    kind = serializers.ChoiceField(InterfaceKind.choices)
    source = serializers.CharField()  # type: ignore[assignment]
    target = serializers.CharField()
    entity = serializers.CharField()
    frequency = serializers.CharField()
    monthly_count = serializers.IntegerField(allow_null=True)
    owner = serializers.CharField()
    criticality = serializers.ChoiceField(Criticality.choices)
    documentation = serializers.ChoiceField(Documentation.choices)
    notes = serializers.CharField()
    way_back = serializers.CharField()
    wave = PublicIdField("migration_wave", source="wave_id", allow_null=True)
    integration = PublicIdField("integration", source="integration_id", allow_null=True)
    depends_on = serializers.ListField(child=PublicIdField("legacy_interface"), source="needed_ids")
    status = serializers.ChoiceField(InterfaceStatus.choices)
    cut_over_at = serializers.DateTimeField(allow_null=True)
    override_reason = serializers.CharField()
    rolled_back_at = serializers.DateTimeField(allow_null=True)
    rollback_reason = serializers.CharField()
    retired_at = serializers.DateTimeField(allow_null=True)


class CheckSerializer(serializers.Serializer[Any]):
    """`point` of what people tick; null of what is checked by itself."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    holds = serializers.BooleanField()
    detail = serializers.CharField()
    point = PublicIdField("checklist_point", allow_null=True)


class ChecklistSerializer(serializers.Serializer[Any]):
    is_ready = serializers.BooleanField()
    checks = CheckSerializer(many=True)


class PointInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=200)


class TickInput(serializers.Serializer[Any]):
    is_done = serializers.BooleanField()


class RollBackInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)
    leaves_running = serializers.BooleanField(
        default=False, help_text="The replacement goes on, since it does the work of other interfaces, too."
    )


def told(interface: Any) -> LegacyInterface:
    interface.needed_ids = [other.pk for other in interface.depends_on.all()]
    found: LegacyInterface = interface
    return found


def _answer(interface: LegacyInterface, status: int = 200) -> Response:
    return Response(InterfaceSerializer(told(interface)).data, status=status)


def _linked(actor: Actor, given: dict[str, Any]) -> dict[str, Any]:
    """Rows instead of ids. Raises NotVisible."""
    found = dict(given)
    if given.get("wave"):
        found["wave"] = get_wave(actor, given["wave"])
    if given.get("integration"):
        found["integration"] = get_integration(actor, given["integration"])
    if "depends_on" in given:
        found["depends_on"] = get_interfaces(actor, given["depends_on"])
    return found


class InterfaceList(ApiView):
    tag = "Modernization"
    scopes = {"GET": "integrations.view", "POST": "integrations.manage"}

    @extend_schema(
        responses=paged(InterfaceSerializer),
        parameters=[
            *PAGE_PARAMETERS,
            CUSTOMER_PARAMETER,
            OpenApiParameter("status", str, enum=list(InterfaceStatus.values)),
        ],
    )
    def get(self, request: Request) -> Response:
        """List the interfaces that customers live with today, the last written down first."""
        rows = of_customer(list_interfaces(self.actor), request).prefetch_related("depends_on")
        status = self.asked("status", InterfaceStatus.values)
        return self.list(rows.filter(status=status) if status else rows, InterfaceSerializer, prepare=told)

    @extend_schema(request=InterfaceInput, responses={201: InterfaceSerializer}, examples=[EXAMPLE])
    def post(self, request: Request) -> Response:
        """Write an interface down."""

        def act() -> Response:
            given = _linked(self.actor, self.read(InterfaceInput))
            customer = get_customer(self.actor, given.pop("customer"))
            made = add_interface(actor=self.actor, now=clock.now(), customer=customer, draft=InterfaceDraft(**given))
            return _answer(made, 201)

        return self.once(act)


class InterfaceDetail(ApiView):
    tag = "Modernization"
    scopes = {"GET": "integrations.view", "PATCH": "integrations.manage", "DELETE": "integrations.manage"}

    @extend_schema(responses=InterfaceSerializer)
    def get(self, request: Request, legacy_interface_id: UUID) -> Response:
        """Read an interface."""
        return _answer(get_interface(self.actor, legacy_interface_id))

    @extend_schema(
        request=InterfaceChange, responses=InterfaceSerializer,
        examples=[OpenApiExample("What replaces it", {"integration": an_id("itg")}, request_only=True)],
    )  # fmt: skip
    def patch(self, request: Request, legacy_interface_id: UUID) -> Response:
        """Change what is known about an interface; its state goes by cut-over, roll-back and retirement."""
        interface = get_interface(self.actor, legacy_interface_id)
        given = _linked(self.actor, self.read(InterfaceChange))
        return _answer(amend_interface(actor=self.actor, now=clock.now(), interface=interface, said=given))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, legacy_interface_id: UUID) -> Response:
        """Forget an interface with its comparisons."""
        interface = get_interface(self.actor, legacy_interface_id)
        remove_interface(actor=self.actor, now=clock.now(), interface=interface)
        return Response(status=204)


class InterfaceChecklist(ApiView):
    tag = "Modernization"
    scopes = {"GET": "integrations.view", "POST": "integrations.manage"}

    @extend_schema(responses=ChecklistSerializer)
    def get(self, request: Request, legacy_interface_id: UUID) -> Response:
        """Read what must hold before the cut-over: checked by itself, and ticked by people."""
        return _checklist(get_interface(self.actor, legacy_interface_id))

    @extend_schema(
        request=PointInput, responses={201: ChecklistSerializer},
        examples=[OpenApiExample("A point", {"text": "Finance knows the day"}, request_only=True)],
    )  # fmt: skip
    def post(self, request: Request, legacy_interface_id: UUID) -> Response:
        """Add a point that a person ticks."""

        def act() -> Response:
            interface = get_interface(self.actor, legacy_interface_id)
            text = self.read(PointInput)["text"]
            add_point(actor=self.actor, now=clock.now(), interface=interface, text=text)
            return _checklist(interface, 201)

        return self.once(act)


def _checklist(interface: LegacyInterface, status: int = 200) -> Response:
    checks = [
        {
            "key": check.key.partition(":")[0], "label": check.label, "holds": check.holds, "detail": check.detail,
            "point": UUID(check.key.partition(":")[2]) if ":" in check.key else None,
        }
        for check in checks_of(interface, clock.now())
    ]  # fmt: skip
    body = {"is_ready": all(check["holds"] for check in checks), "checks": checks}
    return Response(ChecklistSerializer(body).data, status=status)


class PointDetail(ApiView):
    tag = "Modernization"
    scopes = {"PATCH": "integrations.manage", "DELETE": "integrations.manage"}

    @extend_schema(
        request=TickInput, responses=ChecklistSerializer,
        examples=[OpenApiExample("Done", {"is_done": True}, request_only=True)],
    )  # fmt: skip
    def patch(self, request: Request, point_id: UUID) -> Response:
        """Tick a point, or take the tick back."""
        point, is_done = get_point(self.actor, point_id), self.read(TickInput)["is_done"]
        changed: ChecklistPoint = tick_point(actor=self.actor, now=clock.now(), point=point, is_done=is_done)
        return _checklist(get_interface(self.actor, changed.interface_id))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, point_id: UUID) -> Response:
        """Take a point from the checklist."""
        remove_point(actor=self.actor, now=clock.now(), point=get_point(self.actor, point_id))
        return Response(status=204)


class InterfaceStep(ApiView):
    """One step of an interface's life; answers with it as it stands then."""

    tag = "Modernization"
    scopes = {"POST": "integrations.manage"}
    form: ClassVar[type[serializers.Serializer[Any]] | None] = None

    def take(self, interface_id: UUID, step: Callable[..., LegacyInterface]) -> Response:
        def act() -> Response:
            interface = get_interface(self.actor, interface_id)
            given = self.read(self.form) if self.form else {}
            return _answer(step(actor=self.actor, now=clock.now(), interface=interface, **given))

        return self.once(act)


class InterfaceCutOver(InterfaceStep):
    @extend_schema(request=None, responses=InterfaceSerializer)
    def post(self, request: Request, legacy_interface_id: UUID) -> Response:
        """Cut over, when the whole checklist holds. With open points only a person who owns the partner may."""
        return self.take(legacy_interface_id, cut_over)


class InterfaceRollBack(InterfaceStep):
    form = RollBackInput

    @extend_schema(
        request=RollBackInput, responses=InterfaceSerializer,
        examples=[OpenApiExample("Wrong totals", {"reason": "Totals are a cent off"}, request_only=True)],
    )  # fmt: skip
    def post(self, request: Request, legacy_interface_id: UUID) -> Response:
        """Pause what replaced it; the old interface is in use again."""
        return self.take(legacy_interface_id, roll_back)


class InterfaceRetire(InterfaceStep):
    @extend_schema(request=None, responses=InterfaceSerializer)
    def post(self, request: Request, legacy_interface_id: UUID) -> Response:
        """End the old interface for good, after the quiet days."""
        return self.take(legacy_interface_id, retire_interface)
