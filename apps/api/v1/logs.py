"""The log: records and calls searched, permalinks, exports."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PREFIXES, PublicIdField
from apps.api.paging import PAGE_PARAMETERS
from apps.canonical.models import CrossReference, Entity
from apps.canonical.selectors import list_places
from apps.core import clock
from apps.core.ids import MalformedId, decode_id
from apps.sync.explorer import CALL_STATES, LogFilters, find_calls, find_records, get_record_log, get_vendor_call
from apps.sync.models import (
    ErrorClass,
    ExportFormat,
    ExportKind,
    LogExport,
    RecordAction,
    RecordLog,
    RecordPayload,
    RunStatus,
    VendorCall,
)
from apps.sync.services import cancel_export, get_export, open_export, start_export


class RecordLogSerializer(serializers.Serializer[RecordLog]):
    """What a run did with one record at one system."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    run = PublicIdField("run", source="run_id")
    customer = PublicIdField("customer", source="customer_id")
    flow = PublicIdField("flow", source="flow_id")
    connection = PublicIdField("connection", source="connection_id")
    direction = serializers.ChoiceField(["read", "write"])
    object = serializers.CharField(source="object_name")
    entity = serializers.CharField()
    action = serializers.CharField()
    record = PublicIdField("record", source="record_id", allow_null=True)
    external_id = serializers.CharField()
    title = serializers.CharField()
    changed_fields = serializers.ListField(child=serializers.CharField())
    attempts = serializers.IntegerField()
    latency_ms = serializers.IntegerField(allow_null=True)
    error_class = serializers.CharField()
    error = serializers.CharField()


class ReferenceSerializer(serializers.Serializer[CrossReference]):
    connection = PublicIdField("connection", source="connection_id")
    object = serializers.CharField(source="object_name")
    external_id = serializers.CharField()
    url = serializers.CharField(help_text="Where the system shows it; empty where that is not known.")


class RecordLogDetailSerializer(RecordLogSerializer):
    known_as = serializers.SerializerMethodField(help_text="The record's id in every system that has it.")
    changes = serializers.SerializerMethodField(
        help_text="{field: [before, after]}; null when not kept, or not for a key without `payloads.view`."
    )

    @extend_schema_field(ReferenceSerializer(many=True))
    def get_known_as(self, log: RecordLog) -> list[dict[str, Any]]:
        return [dict(ReferenceSerializer(place).data) for place in self.context["places"]]

    def get_changes(self, log: RecordLog) -> dict[str, Any] | None:
        changes: dict[str, Any] | None = self.context.get("changes")
        return changes


class VendorCallSerializer(serializers.Serializer[VendorCall]):
    """One HTTP call to a system: no headers, no bodies."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    run = PublicIdField("run", source="run_id")
    customer = PublicIdField("customer", source="customer_id")
    flow = PublicIdField("flow", source="flow_id")
    connection = PublicIdField("connection", source="connection_id")
    method = serializers.CharField()
    path = serializers.CharField()
    status = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.IntegerField()
    response_bytes = serializers.IntegerField()
    attempt = serializers.IntegerField()
    error = serializers.CharField()


class LogExportSerializer(serializers.ModelSerializer[LogExport]):
    id = PublicIdField("log_export")

    class Meta:
        model = LogExport
        fields = ("id", "kind", "format", "has_payloads", "status", "total", "done_count", "byte_count", "error",
                  "requested_at", "finished_at", "expires_at")  # fmt: skip


class _Ids(serializers.ListField):
    def __init__(self, kind: str) -> None:
        super().__init__(child=PublicIdField(kind), required=False)


class LogExportInput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(ExportKind.choices)
    format = serializers.ChoiceField(ExportFormat.choices, default=ExportFormat.JSON_LINES)
    customers = _Ids("customer")
    integrations = _Ids("integration")
    flows = _Ids("flow")
    connections = _Ids("connection")
    entities = serializers.MultipleChoiceField(choices=Entity.choices, required=False)
    actions = serializers.MultipleChoiceField(choices=RecordAction.choices, required=False)
    error_classes = serializers.MultipleChoiceField(choices=ErrorClass.choices, required=False)
    states = serializers.ListField(child=serializers.CharField(max_length=20), required=False)
    text = serializers.CharField(max_length=200, required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        known = {ExportKind.RUNS: RunStatus.values, ExportKind.CALLS: list(CALL_STATES)}.get(attrs["kind"], [])
        if not set(attrs.get("states", ())) <= set(known):
            raise ValidationError({"states": [f"Use {', '.join(known) or 'none'}."]})
        return attrs


def _of(kind: str, name: str, what: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, many=True, description=f"Id of {what}; several are alternatives.")


_PLACES: ClassVar = ("customer", "integration", "flow", "connection")  # type: ignore[misc]
PLACE_PARAMETERS = [
    *PAGE_PARAMETERS,
    _of("customer", "customer", "a customer"),
    _of("integration", "integration", "an integration"),
    _of("flow", "flow", "a flow"),
    _of("connection", "connection", "a connection"),
    OpenApiParameter("run", str, description="Id of a run."),
    OpenApiParameter("text", str, description="Words of the error, a name or number, or an id."),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="From this moment on, ISO 8601."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Before this moment, ISO 8601."),
]


class RecordLogList(ApiView):
    tag = "Log"
    scopes = {"GET": "runs.view"}

    @extend_schema(
        responses=paged(RecordLogSerializer),
        parameters=[
            *PLACE_PARAMETERS,
            OpenApiParameter("entity", str, many=True, enum=Entity.values),
            OpenApiParameter("action", str, many=True, enum=RecordAction.values),
            OpenApiParameter("error_class", str, many=True, enum=ErrorClass.values),
        ],
    )
    def get(self, request: Request) -> Response:
        """Search what was done with records, newest first."""
        asked = LogFilters(
            **asked_places(request),
            entities=asked_choices(request, "entity", Entity.values),
            actions=asked_choices(request, "action", RecordAction.values),
            error_classes=asked_choices(request, "error_class", ErrorClass.values),
        )
        return self.list(find_records(self.actor, asked).order_by("-id"), RecordLogSerializer)


class RecordLogDetail(ApiView):
    tag = "Log"
    scopes = {"GET": "runs.view"}

    @extend_schema(responses=RecordLogDetailSerializer)
    def get(self, request: Request, log_id: int) -> Response:
        """Read one entry, with the values before and after where they are kept."""
        log = get_record_log(self.actor, log_id)
        kept = RecordPayload.objects.filter(pk=log.pk).first() if self.actor.can("payloads.view") else None
        context = {"changes": kept.diff if kept else None, "places": list_places(self.actor, log.record_id)}
        return Response(RecordLogDetailSerializer(log, context=context).data)


class VendorCallList(ApiView):
    tag = "Log"
    scopes = {"GET": "runs.view"}

    @extend_schema(
        responses=paged(VendorCallSerializer),
        parameters=[*PLACE_PARAMETERS, OpenApiParameter("answer", str, many=True, enum=list(CALL_STATES))],
    )
    def get(self, request: Request) -> Response:
        """Search calls to systems, newest first."""
        asked = LogFilters(**asked_places(request), states=asked_choices(request, "answer", list(CALL_STATES)))
        return self.list(find_calls(self.actor, asked).order_by("-id"), VendorCallSerializer)


class VendorCallDetail(ApiView):
    tag = "Log"
    scopes = {"GET": "runs.view"}

    @extend_schema(responses=VendorCallSerializer)
    def get(self, request: Request, call_id: int) -> Response:
        """Read one call."""
        return Response(VendorCallSerializer(get_vendor_call(self.actor, call_id)).data)


class LogExportList(ApiView):
    tag = "Log"
    scopes = {"GET": "runs.view", "POST": "runs.view"}

    @extend_schema(responses=paged(LogExportSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        """List exports, newest first."""
        return self.list(LogExport.objects.visible_to(self.actor).order_by("-id"), LogExportSerializer)

    @extend_schema(request=LogExportInput, responses={202: LogExportSerializer})
    def post(self, request: Request) -> Response:
        """Have a filtered part of the log made into a file. Watch it at its own address."""
        given = self.read(LogExportInput)

        def act() -> Response:
            export = start_export(
                actor=self.actor, now=clock.now(), kind=given.pop("kind"), format=given.pop("format"),
                asked=_asked(given),
            )  # fmt: skip
            return Response(LogExportSerializer(export).data, status=202)

        return self.once(act)


class LogExportDetail(ApiView):
    tag = "Log"
    scopes = {"GET": "runs.view"}

    @extend_schema(responses=LogExportSerializer)
    def get(self, request: Request, export_id: UUID) -> Response:
        """Watch an export: its state and how far it is."""
        return Response(LogExportSerializer(get_export(self.actor, export_id)).data)


class LogExportCancel(ApiView):
    tag = "Log"
    scopes = {"POST": "runs.view"}

    @extend_schema(request=None, responses={202: LogExportSerializer})
    def post(self, request: Request, export_id: UUID) -> Response:
        """Stop an export that is being made."""

        def act() -> Response:
            export = cancel_export(actor=self.actor, now=clock.now(), export=get_export(self.actor, export_id))
            return Response(LogExportSerializer(export).data, status=202)

        return self.once(act)


class LogExportFile(ApiView):
    tag = "Log"
    scopes = {"GET": "runs.view"}

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, export_id: UUID) -> FileResponse:
        """Download the file of a ready export."""
        export = get_export(self.actor, export_id)
        name = f"{export.kind}.{export.format}"
        return FileResponse(
            open_export(self.actor, export), as_attachment=True, filename=name, content_type="application/octet-stream"
        )


def asked_places(request: Request) -> dict[str, Any]:
    asked: dict[str, Any] = {f"{kind}s": _ids(request, kind) for kind in _PLACES}
    run = _ids(request, "run")
    return asked | {
        "run": run[0] if run else "",
        "text": request.query_params.get("text", "").strip()[:200],
        "since": _moment(request, "since"),
        "until": _moment(request, "until"),
    }


def _ids(request: Request, kind: str) -> tuple[str, ...]:
    try:
        return tuple(str(decode_id(PREFIXES[kind], text)) for text in request.query_params.getlist(kind))
    except MalformedId as error:
        raise ValidationError({kind: ["This is no such id."]}) from error


def asked_choices(request: Request, name: str, known: list[str]) -> tuple[str, ...]:
    given = tuple(request.query_params.getlist(name))
    if not set(given) <= set(known):
        raise ValidationError({name: [f"Use {', '.join(known)}."]})
    return given


def _moment(request: Request, name: str) -> str:
    text = request.query_params.get(name, "")
    moment: datetime | None = serializers.DateTimeField().run_validation(text) if text else None
    return moment.isoformat() if moment else ""


def _asked(given: dict[str, Any]) -> LogFilters:
    values: dict[str, Any] = {"text": given.get("text", "")}
    values |= {name: tuple(sorted(map(str, v))) for name, v in given.items() if isinstance(v, list | set)}
    values |= {name: given[name].isoformat() for name in ("since", "until") if name in given}
    return LogFilters(**values)
