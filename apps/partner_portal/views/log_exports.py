"""Exports of the log: asked for with the list's own filters, made in the background, fetched here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import FileResponse, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import NotVisible
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.lists.logs import TABS, asked_of, call_filters, record_filters
from apps.partner_portal.lists.runs import runs_filters
from apps.sync.models import ExportFormat, ExportKind, ExportStatus, LogExport
from apps.sync.services import cancel_export, get_export, open_export, start_export
from apps.ui import htmx
from apps.ui.filters import FilterState
from apps.ui.paging import page_queryset
from apps.ui.status import Status, status_of
from apps.ui.tables import Column, build_table

LISTS = {ExportKind.RUNS: "runs", ExportKind.RECORDS: "log_records", ExportKind.CALLS: "log_calls"}
_TONES = {
    ExportStatus.QUEUED: "info", ExportStatus.RUNNING: "info", ExportStatus.READY: "ok", ExportStatus.FAILED: "failing",
}  # fmt: skip


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        label="Format", choices=ExportFormat.choices, initial=ExportFormat.CSV, widget=forms.RadioSelect,
        help_text="CSV opens in a spreadsheet. JSON lines hold one entry a line, for programs.",
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "runs.view")
def add_export(request: ActorRequest, kind: str) -> HttpResponse:
    """The address carries the filters of the list the person came from."""
    if kind not in ExportKind.values:
        raise NotVisible("There is no such list.")
    state = _filters(request, kind)
    form = ExportForm(request.POST or None)
    if request.method == "POST":
        asked = asked_of(request, state)
        made = submit(
            form,
            lambda data: start_export(
                actor=request.actor, now=clock.now(), kind=kind, format=data["format"], asked=asked
            ),
        )
        if made is not None:
            return htmx.redirect(request, reverse("partner_portal:log_export", args=[made.pk]))
    query = request.GET.urlencode()
    back = reverse(f"partner_portal:{LISTS[ExportKind(kind)]}")
    context = {
        "form": form, "label": ExportKind(kind).label.lower(), "chosen": _told(request, state),
        "back_url": f"{back}?{query}" if query else back,
        "has_payloads": kind == ExportKind.RECORDS and request.actor.can("payloads.view"),
        "crumbs": [("Runs", reverse("partner_portal:runs")), ("Exports", reverse("partner_portal:log_exports"))],
    }  # fmt: skip
    return render(request, "partner_portal/log_export_add.html", context)


def _filters(request: ActorRequest, kind: str) -> FilterState:
    if kind == ExportKind.RUNS:
        return runs_filters(request, across=True)
    return record_filters(request) if kind == ExportKind.RECORDS else call_filters(request)


def _told(request: ActorRequest, state: FilterState) -> list[tuple[str, str]]:
    chosen = [(chip.label, chip.text) for chip in state.chips if chip.text]
    chosen += [("Run", request.GET["run"])] if request.GET.get("run") else []
    return [*chosen, ("Text", state.search)] if state.search else chosen


def export_status(export: LogExport) -> Status:
    label = str(export.get_status_display())
    return status_of(export.status, label=label, tone=_TONES.get(ExportStatus(export.status), "idle"))


COLUMNS = (
    Column("what", "Export", value=str, main=True),
    Column("state", "State", "status", value=export_status),
    Column("total", "Entries", "number"),
    Column("size", "Size", "bytes", value=lambda export: export.byte_count or None, wide_only=True),
    Column("by", "Asked for by", value="requested_by_label", wide_only=True),
    Column("requested_at", "Asked for", "datetime"),
    Column("expires_at", "Kept until", "datetime", wide_only=True),
)


@require_GET
@requires(Audience.STAFF, "runs.view")
def show_exports(request: ActorRequest) -> HttpResponse:
    page = page_queryset(LogExport.objects.visible_to(request.actor), request, order=("-id",))
    table = build_table(
        page.items, COLUMNS, caption="Exports", noun="exports",
        url=lambda export: reverse("partner_portal:log_export", args=[export.pk]),
    )  # fmt: skip
    context = {"tabs": TABS.of(request, "log_exports"), "page": page, "table": table}
    return htmx.render_page(request, "partner_portal/log_exports.html", "partner_portal/_log_export_rows.html", context)


@require_GET
@requires(Audience.STAFF, "runs.view")
def show_export(request: ActorRequest, export_id: UUID) -> HttpResponse:
    export = get_export(request.actor, export_id)
    context = {
        **_progress(export), "status": export_status(export),
        "crumbs": [("Runs", reverse("partner_portal:runs")), ("Exports", reverse("partner_portal:log_exports"))],
    }  # fmt: skip
    return htmx.render_page(request, "partner_portal/log_export.html", "partner_portal/_log_export.html", context)


def _progress(export: LogExport) -> dict[str, Any]:
    now = clock.now()
    elapsed = (now - export.started_at).total_seconds() if export.started_at else 0
    rate = export.done_count / elapsed if export.is_active and elapsed >= 1 else 0
    left = (export.total or 0) - export.done_count
    return {
        "export": export, "rate": rate or None, "eta_seconds": round(left / rate) if rate and left else None,
        "poll_url": reverse("partner_portal:log_export", args=[export.pk]) if export.is_active else "",
    }  # fmt: skip


@require_POST
@requires(Audience.STAFF, "runs.view")
def stop_export(request: ActorRequest, export_id: UUID) -> HttpResponse:
    export = get_export(request.actor, export_id)
    return perform(
        request,
        lambda: cancel_export(actor=request.actor, now=clock.now(), export=export),
        done="The export was stopped.",
        next_url=reverse("partner_portal:log_export", args=[export.pk]),
    )


@require_GET
@requires(Audience.STAFF, "runs.view")
def download_export(request: ActorRequest, export_id: UUID) -> Any:
    export = get_export(request.actor, export_id)
    name = f"{export.kind}-{export.requested_at:%Y-%m-%d-%H%M}.{export.format}"
    kind = "text/csv; charset=utf-8" if export.format == ExportFormat.CSV else "application/x-ndjson"
    return FileResponse(open_export(request.actor, export), as_attachment=True, filename=name, content_type=kind)
