"""Files of a connection: brought for a look, taken over by the flows, written by them and fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import IO, Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import PAGE_PARAMETERS
from apps.connectors.models import StoredFile
from apps.connectors.selectors import get_stored_file, list_stored_files
from apps.connectors.services import (
    FileState,
    discard_file,
    fetch_file,
    get_uploading,
    preview_file,
    stage_file,
    state_of_file,
    take_file_over,
)
from apps.core import clock

CHUNK_BYTES = 64 * 1024


class FileParser(BaseParser):
    """The body as it comes, whatever it is said to be: read piece by piece, never held as a whole."""

    media_type = "*/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return stream


class FileSerializer(serializers.ModelSerializer[StoredFile]):
    id = PublicIdField("file")
    connection = PublicIdField("connection", source="connection_id")
    state = serializers.SerializerMethodField()

    class Meta:
        model = StoredFile
        fields = ("id", "connection", "name", "state", "size", "uploaded_at", "uploaded_by_label")

    @extend_schema_field(serializers.ChoiceField([str(state) for state in FileState]))
    def get_state(self, file: StoredFile) -> str:
        return str(state_of_file(file))


class SampleSerializer(serializers.Serializer[Any]):
    external_id = serializers.CharField()
    fields_read = serializers.DictField(source="fields", help_text="What the mapping makes of the row.")
    problem = serializers.CharField(help_text="Why the record would be refused; empty when it would not.")


class FilePreviewSerializer(serializers.Serializer[Any]):
    """What a file would become, read to its end."""

    object = serializers.CharField(source="label", help_text="Empty when no object of the system is in such files.")
    row_count = serializers.IntegerField()
    problem_count = serializers.IntegerField(help_text="Rows that cannot be read; all others are taken over.")
    problems = serializers.ListField(child=serializers.CharField(), help_text="The first of them, with file and line.")
    unreadable = serializers.CharField(help_text="Why nothing of it can be read; empty when something can.")
    samples = SampleSerializer(many=True)


EXAMPLE = OpenApiExample(
    "A file that waits for a look",
    {
        "id": "fil_0192f1c5a7b87d3e9a4b5c6d7e8f9a0b", "connection": "con_0192f1c5a7b87d3e9a4b5c6d7e8f9a0c",
        "name": "customers.csv", "state": "waiting", "size": 52341, "uploaded_at": "2026-11-23T09:00:00Z",
        "uploaded_by_label": "API key Ledger export",
    },
    response_only=True,
)  # fmt: skip

CONTENT = [
    OpenApiExample("A file", "number;name\n1;Anvil\n2;Bellows\n", media_type=kind, request_only=True)
    for kind in ("text/csv", "application/octet-stream")
]


class FileList(ApiView):
    tag = "Files"
    scopes = {"GET": "connections.view", "PUT": "connections.manage"}
    parser_classes = (FileParser,)

    @extend_schema(responses=paged(FileSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request, uploading_id: UUID) -> Response:
        """List the files that came in, and those that are ready to be fetched."""
        return self.list(list_stored_files(get_uploading(self.actor, uploading_id)), FileSerializer)

    @extend_schema(
        parameters=[
            OpenApiParameter("name", str, required=True, description="Name of the file; it says what is in it.")
        ],
        request={"application/octet-stream": OpenApiTypes.BINARY, "text/csv": OpenApiTypes.BINARY},
        responses={201: FileSerializer},
        examples=[EXAMPLE, *CONTENT],
    )
    def put(self, request: Request, uploading_id: UUID) -> Response:
        """Bring a file for a look; one of this name that still waits is replaced. At most 200 MB."""
        connection = get_uploading(self.actor, uploading_id)
        name = request.query_params.get("name", "").strip()
        if not name:
            raise ValidationError({"name": ["Give the file's name in the address: ?name=customers.csv"]})
        file = stage_file(
            actor=self.actor, now=clock.now(), connection=connection, name=name, content=_pieces(request.data)
        )
        return Response(FileSerializer(file).data, status=201)


class FileDetail(ApiView):
    tag = "Files"
    scopes = {"GET": "connections.view", "DELETE": "connections.manage"}

    @extend_schema(responses=FileSerializer, examples=[EXAMPLE])
    def get(self, request: Request, uploading_id: UUID, file_id: UUID) -> Response:
        """Read where a file is on its way."""
        return Response(FileSerializer(_file(self, uploading_id, file_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, uploading_id: UUID, file_id: UUID) -> Response:
        """Delete a file, read or not. What was read of it stays."""
        discard_file(actor=self.actor, now=clock.now(), file=_file(self, uploading_id, file_id))
        return Response(status=204)


class FilePreviewDetail(ApiView):
    tag = "Files"
    scopes = {"GET": "connections.manage"}

    @extend_schema(responses=FilePreviewSerializer)
    def get(self, request: Request, uploading_id: UUID, file_id: UUID) -> Response:
        """See what a file would become: its first rows as records, and every row that cannot be read."""
        file = _file(self, uploading_id, file_id)
        return Response(FilePreviewSerializer(preview_file(actor=self.actor, file=file)).data)


class FileTakeOver(ApiView):
    tag = "Files"
    scopes = {"POST": "connections.manage"}

    @extend_schema(request=None, responses=FileSerializer)
    def post(self, request: Request, uploading_id: UUID, file_id: UUID) -> Response:
        """Give a file that waits to the flows that read it; they start at once."""

        def act() -> Response:
            file = take_file_over(actor=self.actor, now=clock.now(), file=_file(self, uploading_id, file_id))
            return Response(FileSerializer(file).data)

        return self.once(act)


class FileContent(ApiView):
    tag = "Files"
    scopes = {"GET": "payloads.view"}

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def get(self, request: Request, uploading_id: UUID, file_id: UUID) -> StreamingHttpResponse:
        """Download a file, as it came or as the flows wrote it. Who fetched it is noted."""
        file = _file(self, uploading_id, file_id)
        content = fetch_file(actor=self.actor, now=clock.now(), file=file)
        headers = {
            "Content-Disposition": content_disposition_header(True, file.name) or "",
            "Cache-Control": "no-store",
        }
        return StreamingHttpResponse(content, content_type="text/csv", headers=headers)


def _file(view: ApiView, uploading_id: UUID, file_id: UUID) -> StoredFile:
    return get_stored_file(get_uploading(view.actor, uploading_id), file_id)


def _pieces(stream: Any) -> Iterator[bytes]:
    """An empty body is no stream to the framework."""
    return iter(partial(stream.read, CHUNK_BYTES), b"") if hasattr(stream, "read") else iter(())
