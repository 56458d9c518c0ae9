"""Files that people bring for a connection (what they would become, then taken over), and those they fetch."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.models import Connection, StoredFile
from apps.connectors.registry import get_manifest
from apps.connectors.sdk.declared.files.guess import SAMPLE_BYTES, draft_of, guess_file
from apps.connectors.selectors import get_stored_file, list_stored_files
from apps.connectors.services import (
    FilePreview,
    FileState,
    MappedSample,
    discard_file,
    fetch_file,
    get_uploading,
    goes_out,
    preview_file,
    stage_file,
    state_of_file,
    take_file_over,
)
from apps.connectors.stored_files import CHECKING
from apps.core import clock
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.forms.custom_connectors import DefinitionForm
from apps.partner_portal.forms.uploads import SampleForm, UploadForm
from apps.ui import htmx
from apps.ui.tables import Column, Table, build_table

SHOWN = 100
COLUMNS = [
    Column("name", "File", main=True),
    Column("state", "State", value=lambda file: state_of(file)),
    Column("size", "Size", kind="bytes"),
    Column("uploaded_at", "Uploaded", kind="datetime", sub="uploaded_by_label"),
]

OUT_COLUMNS = [
    Column("name", "File", main=True),
    Column("size", "Size", kind="bytes"),
    Column("uploaded_at", "Written", kind="datetime"),
]


STATES = {
    FileState.READY: "Ready to download",
    FileState.WAITING: "Waits for your look",
    FileState.TAKEN_OVER: "Taken over",
    FileState.READ: "Read",
    FileState.UNREADABLE: "Unreadable",
}


def state_of(file: StoredFile) -> str:
    return STATES[state_of_file(file)]


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "connections.manage")
def show_files(request: ActorRequest, uploading_id: UUID) -> HttpResponse:
    connection = get_uploading(request.actor, uploading_id)
    exchanged = get_manifest(connection.vendor).extra
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and exchanged["uploads"]:
        file = submit(
            form,
            lambda data: stage_file(
                actor=request.actor, now=clock.now(), connection=connection, name=data["file"].name,
                content=data["file"].chunks(),
            ),
        )  # fmt: skip
        if file is not None:
            return htmx.redirect(request, reverse("partner_portal:connection_file", args=[connection.pk, file.pk]))
    context = {
        "connection": connection,
        "form": form,
        **exchanged,
        **_tables(connection),
        "crumbs": _crumbs(connection),
    }
    return render(request, "partner_portal/connection_files.html", context, status=422 if form.errors else 200)


def _tables(connection: Connection) -> dict[str, Table]:
    """Files that came in, and those that are ready to be fetched. What was sent is kept, but is no file of anybody's."""
    shown = list_stored_files(connection)[:SHOWN]
    incoming = [file for file in shown if not goes_out(file)]

    def page_of(file: StoredFile) -> str:
        return reverse("partner_portal:connection_file", args=[connection.pk, file.pk])

    outgoing = [file for file in shown if goes_out(file)]
    return {
        "table": build_table(incoming, COLUMNS, caption="Files", noun="files", url=page_of),
        "outgoing": build_table(outgoing, OUT_COLUMNS, caption="To download", noun="files", url=page_of),
    }


@require_GET
@requires(Audience.STAFF, "connections.manage")
def show_file(request: ActorRequest, uploading_id: UUID, file_id: UUID) -> HttpResponse:
    connection = get_uploading(request.actor, uploading_id)
    file = get_stored_file(connection, file_id)
    if goes_out(file):
        context = {"connection": connection, "file": file, "crumbs": _file_crumbs(connection)}
        return render(request, "partner_portal/connection_file_out.html", context)
    preview = preview_file(actor=request.actor, file=file)
    context = {
        "connection": connection, "file": file, "preview": preview, "table": _preview_table(preview),
        "state": state_of(file), "is_waiting": file.folder == CHECKING,
        "crumbs": _file_crumbs(connection),
    }  # fmt: skip
    return render(request, "partner_portal/connection_file.html", context)


@require_GET
@requires(Audience.STAFF, "payloads.view")
def fetch(request: ActorRequest, uploading_id: UUID, file_id: UUID) -> HttpResponse:
    connection = get_uploading(request.actor, uploading_id)
    file = get_stored_file(connection, file_id)
    content = fetch_file(actor=request.actor, now=clock.now(), file=file)
    headers = {"Content-Disposition": content_disposition_header(True, file.name), "Cache-Control": "private, no-store"}
    return cast(HttpResponse, StreamingHttpResponse(content, content_type="text/csv", headers=headers))


@require_POST
@requires(Audience.STAFF, "connections.manage")
def take_over(request: ActorRequest, uploading_id: UUID, file_id: UUID) -> HttpResponse:
    connection = get_uploading(request.actor, uploading_id)
    file = get_stored_file(connection, file_id)
    return perform(
        request,
        lambda: take_file_over(actor=request.actor, now=clock.now(), file=file),
        done=f"{file.name} is taken over. The flows that read it start now.",
        next_url=reverse("partner_portal:connection_files", args=[connection.pk]),
    )


@require_POST
@requires(Audience.STAFF, "connections.manage")
def discard(request: ActorRequest, uploading_id: UUID, file_id: UUID) -> HttpResponse:
    connection = get_uploading(request.actor, uploading_id)
    file = get_stored_file(connection, file_id)
    return perform(
        request,
        lambda: discard_file(actor=request.actor, now=clock.now(), file=file),
        done=f"{file.name} is deleted.",
        next_url=reverse("partner_portal:connection_files", args=[connection.pk]),
    )


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "connections.manage")
def guess_from_sample(request: ActorRequest) -> HttpResponse:
    """A first draft of a definition from a file as the system writes it. Nothing is stored."""
    form = SampleForm(request.POST or None, request.FILES or None)
    crumbs = [("Catalogue", reverse("partner_portal:catalogue"))]
    if request.method == "POST" and form.is_valid():
        sample = form.cleaned_data["file"]
        guess = guess_file(sample.read(SAMPLE_BYTES + 1), sample.name)
        if guess is not None:
            source = draft_of(guess, sample.name, transport=form.cleaned_data["transport"])
            messages.info(
                request, "This is what the sample says. Choose the entity and its fields, then keep the draft."
            )
            context = {"form": DefinitionForm(initial={"source": source}), "crumbs": crumbs}
            return render(request, "partner_portal/custom_connector_add.html", context)
        form.add_error("file", "No table was found in this file: is it CSV, with a header row?")
    status = 422 if form.errors else 200
    return render(request, "partner_portal/custom_sample.html", {"form": form, "crumbs": crumbs}, status=status)


def _preview_table(preview: FilePreview) -> Table:
    """The first rows, each column as the file has it and each field as it becomes."""
    fields = list(dict.fromkeys(name for sample in preview.samples for name in sample.fields))
    columns = [
        Column("id", "Id", value="external_id", main=True),
        Column("problem", "Would be refused", value="problem"),
    ]
    columns += [Column(name, name.replace("_", " ").capitalize(), value=_field(name)) for name in fields]
    return build_table(preview.samples, columns, caption="First rows", noun="rows")


def _field(name: str) -> Callable[[MappedSample], object]:
    def read(sample: MappedSample) -> object:
        value = sample.fields.get(name)
        return "" if value is None else str(value)

    return read


def _file_crumbs(connection: Connection) -> list[tuple[str, str]]:
    return [*_crumbs(connection), ("Files", reverse("partner_portal:connection_files", args=[connection.pk]))]


def _crumbs(connection: Connection) -> list[tuple[str, str]]:
    return [
        (connection.customer.name, reverse("partner_portal:customer", args=[connection.customer_id])),
        (connection.name, reverse("partner_portal:connection", args=[connection.pk])),
    ]
