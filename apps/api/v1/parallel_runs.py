"""Comparisons of old and new results over the API: rows or CSV brought, watched, findings read and accepted."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PREFIXES, PublicIdField
from apps.api.paging import PAGE_PARAMETERS
from apps.canonical.models import Entity
from apps.connectors.sdk.declared.files.guess import DATES
from apps.core import clock
from apps.core.ids import MalformedId, decode_id, encode_id
from apps.core.visible import get_visible
from apps.modernization.comparison import RULES, Comparison, written_as
from apps.modernization.models import DifferenceKind, ParallelDifference, ParallelRun, ParallelStatus
from apps.modernization.selectors import (
    get_interface,
    get_parallel_run,
    list_differences,
    list_parallel_runs,
    open_count,
    with_open_counts,
)
from apps.modernization.services import (
    accept_findings,
    compare_result,
    stop_comparison,
)

MOST_ROWS = 5_000
COUNTS = (
    "old", "new", "equal", "different", "only_old", "only_new", "twice_old", "twice_new", "unreadable", "outside",
    "finding",
)  # fmt: skip
_SYSTEM = f"@{PREFIXES['connection']}_"


class CountsSerializer(serializers.Serializer[Any]):
    """Each row of the file and each record once; `finding` counts what there is to look at."""

    old = serializers.IntegerField()
    new = serializers.IntegerField()
    equal = serializers.IntegerField()
    different = serializers.IntegerField()
    only_old = serializers.IntegerField()
    only_new = serializers.IntegerField()
    twice_old = serializers.IntegerField()
    twice_new = serializers.IntegerField()
    unreadable = serializers.IntegerField()
    outside = serializers.IntegerField(help_text="Rows outside the period.")
    finding = serializers.IntegerField()


class ParallelRunSerializer(serializers.Serializer[ParallelRun]):
    """Goes on in the background while `queued` or `running` (`done` of `total`)."""

    id = PublicIdField("parallel_run")
    interface = PublicIdField("legacy_interface", source="interface_id")
    customer = PublicIdField("customer", source="customer_id")
    entity = serializers.CharField()
    file_name = serializers.CharField()
    status = serializers.ChoiceField(ParallelStatus.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    counts = CountsSerializer()
    open = serializers.IntegerField(help_text="Findings that nobody has accepted.")
    columns = serializers.DictField(child=serializers.CharField())
    keys = serializers.ListField(child=serializers.CharField())
    error = serializers.CharField()
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ParallelRunInput(serializers.Serializer[Any]):
    """`rows` or `csv`. `columns` say which field each column holds: `total`, `total:minor`, `account.name`, `@con_…`
    (the id in that system). Where they are not given they are guessed from the columns' names."""

    name = serializers.CharField(max_length=200, default="API")
    entity = serializers.ChoiceField(Entity.choices, required=False)
    rows = serializers.ListField(child=serializers.DictField(), required=False, min_length=1, max_length=MOST_ROWS)
    csv = serializers.CharField(required=False, trim_whitespace=False)
    columns = serializers.DictField(child=serializers.CharField(max_length=80), required=False)
    keys = serializers.ListField(child=serializers.CharField(max_length=80), required=False)
    system = PublicIdField("connection", required=False, allow_null=True)
    date_field = serializers.CharField(max_length=60, required=False, allow_blank=True)
    first_day = serializers.DateField(required=False, allow_null=True)
    last_day = serializers.DateField(required=False, allow_null=True)
    amount_tolerance = serializers.RegexField(r"^\d{1,12}(\.\d{1,6})?$", required=False)
    day_tolerance = serializers.IntegerField(min_value=0, max_value=366, required=False)
    decimal = serializers.ChoiceField([".", ","], required=False, help_text="How amounts in the CSV are written.")
    dates = serializers.ChoiceField(
        [form for form in DATES if form], required=False,
        help_text="How days in the CSV are written; needed where 03/04/2026 can be read in two ways.",
    )  # fmt: skip
    ignores_case = serializers.BooleanField(required=False)
    ignores_blanks = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("rows" in attrs) == ("csv" in attrs):
            raise ValidationError({"rows": ["Give either rows or csv."]})
        return attrs


class FindingSerializer(serializers.Serializer[ParallelDifference]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(DifferenceKind.choices)
    key = serializers.CharField()
    field = serializers.CharField()
    old = serializers.CharField()
    new = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    record = PublicIdField("record", source="record_id", allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True)
    accept_reason = serializers.CharField()
    is_remembered = serializers.BooleanField(help_text="Accepted in an earlier comparison.")


class AcceptInput(serializers.Serializer[Any]):
    """One `finding`, or all of a `kind` and `field`."""

    reason = serializers.CharField(max_length=300)
    finding = serializers.IntegerField(required=False, min_value=1)
    kind = serializers.ChoiceField(DifferenceKind.choices, required=False)
    field = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


class AcceptedSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()
    open = serializers.IntegerField()


def told(run: Any) -> dict[str, Any]:
    """`run` as `with_open_counts` gives it."""
    known = run.rules
    names = (
        "id", "interface_id", "customer_id", "entity", "file_name", "status", "total", "error", "requested_at",
        "finished_at",
    )  # fmt: skip
    return {
        **{name: getattr(run, name) for name in names}, "done": run.done_count, "open": run.open_count,
        "counts": {name: getattr(run, f"{name}_count") for name in COUNTS},
        "columns": {column: _shown(token) for column, token in known.columns.items()},
        "keys": [_shown(token) for token in known.keys],
    }  # fmt: skip


def _shown(token: str) -> str:
    return f"@{encode_id(PREFIXES['connection'], UUID(token[1:]))}" if token.startswith("@") else token


def _token(text: str) -> str:
    """`@con_…` as it is kept. Raises ValidationError."""
    if not text.startswith(_SYSTEM):
        return text
    try:
        return f"@{decode_id(PREFIXES['connection'], text[1:])}"
    except MalformedId as error:
        raise ValidationError({"columns": [str(error)]}) from error


def _answer(run: Any, status: int = 200) -> Response:
    run.open_count = open_count(run)
    return Response(ParallelRunSerializer(told(run)).data, status=status)  # type: ignore[arg-type]


def _comparison(run: ParallelRun, given: dict[str, Any]) -> Comparison:
    """What was guessed, with what was said."""
    guessed = run.rules
    said: dict[str, Any] = {name: given[name] for name in RULES if name in given}
    if "columns" in given:
        said["columns"] = {column: _token(text) for column, text in given["columns"].items()}
    if "keys" in given:
        said["keys"] = [_token(text) for text in given["keys"]]
    if given.get("system"):
        said["system"] = str(given["system"])
    decimal, dates = (given.get(name, getattr(guessed.file, name)) for name in ("decimal", "dates"))
    return msgspec.structs.replace(guessed, **said, file=written_as(guessed.file, decimal=decimal, dates=dates))


class InterfaceComparisons(ApiView):
    tag = "Modernization"
    scopes = {"GET": "integrations.view", "POST": "integrations.manage"}

    @extend_schema(responses=paged(ParallelRunSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request, legacy_interface_id: UUID) -> Response:
        """List the comparisons of an interface, newest first."""
        interface = get_interface(self.actor, legacy_interface_id)
        runs = list_parallel_runs(self.actor).filter(interface=interface)
        return self.list(with_open_counts(runs), ParallelRunSerializer, prepare=told)

    @extend_schema(
        request=ParallelRunInput, responses={202: ParallelRunSerializer},
        examples=[
            OpenApiExample(
                "Two invoices", {
                    "rows": [{"No": "INV-7", "Gross": "119.00"}, {"No": "INV-8", "Gross": "59.50"}],
                    "columns": {"No": "number", "Gross": "total"}, "keys": ["number"], "amount_tolerance": "0.01",
                }, request_only=True,
            )
        ],
    )  # fmt: skip
    def post(self, request: Request, legacy_interface_id: UUID) -> Response:
        """Have an old result compared in the background with what the replacement produced; nothing is changed."""

        def act() -> Response:
            interface = get_interface(self.actor, legacy_interface_id)
            given = self.read(ParallelRunInput)
            content = (json.dumps(given["rows"], default=str) if "rows" in given else given["csv"]).encode()

            run = compare_result(
                actor=self.actor, now=clock.now(), interface=interface, name=given["name"], content=content,
                entity=given.get("entity", ""), rules=lambda draft: _comparison(draft, given), said=given,
            )  # fmt: skip
            return _answer(get_parallel_run(self.actor, run.pk), 202)

        return self.once(act)


class ComparisonDetail(ApiView):
    tag = "Modernization"
    scopes = {"GET": "integrations.view"}

    @extend_schema(responses=ParallelRunSerializer)
    def get(self, request: Request, parallel_run_id: UUID) -> Response:
        """Watch a comparison: how far it is, and what it counted."""
        return _answer(get_parallel_run(self.actor, parallel_run_id))


class ComparisonCancel(ApiView):
    tag = "Modernization"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(request=None, responses=ParallelRunSerializer)
    def post(self, request: Request, parallel_run_id: UUID) -> Response:
        """Stop a comparison."""

        def act() -> Response:
            run = get_parallel_run(self.actor, parallel_run_id)
            stop_comparison(actor=self.actor, now=clock.now(), run=run)
            return _answer(get_parallel_run(self.actor, parallel_run_id))

        return self.once(act)


class ComparisonFindings(ApiView):
    tag = "Modernization"
    scopes = {"GET": "records.view"}

    @extend_schema(
        responses=paged(FindingSerializer),
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("kind", str, enum=list(DifferenceKind.values)),
            OpenApiParameter("field", str, description="Of differing records, the field."),
            OpenApiParameter("state", str, enum=["open", "accepted"]),
        ],
    )
    def get(self, request: Request, parallel_run_id: UUID) -> Response:
        """List what differs, field by field, the last found first; the first 20,000 are listed."""
        run = get_visible(ParallelRun.objects.visible_to(self.actor), parallel_run_id, "There is no such comparison.")
        rows = list_differences(self.actor, run)
        kind, state = self.asked("kind", DifferenceKind.values), self.asked("state", ["open", "accepted"])
        field = request.query_params.get("field")
        rows = rows.filter(kind=kind) if kind else rows
        rows = rows.filter(field=field.replace("\x00", "")) if field is not None else rows
        rows = rows.filter(accepted_at__isnull=state == "open") if state else rows
        return self.list(rows, FindingSerializer)


class ComparisonAccept(ApiView):
    tag = "Modernization"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(
        request=AcceptInput, responses=AcceptedSerializer,
        examples=[
            OpenApiExample(
                "All of a field", {"kind": "different", "field": "total", "reason": "Rounding"}, request_only=True
            )
        ],
    )  # fmt: skip
    def post(self, request: Request, parallel_run_id: UUID) -> Response:
        """Accept a finding, or all of a kind and field; it stays so in later comparisons while both values stay."""

        def act() -> Response:
            run = get_parallel_run(self.actor, parallel_run_id)
            given = self.read(AcceptInput)
            if not given.get("finding") and not given.get("kind"):
                raise ValidationError({"finding": ["Give a finding, or a kind."]})
            finding = self._finding(run, given["finding"]) if given.get("finding") else None
            count = accept_findings(
                actor=self.actor, now=clock.now(), run=run, reason=given["reason"], finding=finding,
                kind=given.get("kind", ""), field=given["field"],
            )  # fmt: skip
            return Response(AcceptedSerializer({"accepted": count, "open": open_count(run)}).data)

        return self.once(act)

    def _finding(self, run: ParallelRun, finding_id: int) -> ParallelDifference:
        found = ParallelDifference.objects.filter(run=run, pk=finding_id).first()
        if found is None:
            raise ValidationError({"finding": ["There is no such finding."]})
        return found
