"""The log explorer: what was done with every record, and every call to a system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.canonical.selectors import list_places
from apps.core.actor import Actor
from apps.partner_portal.lists.logs import (
    TABS,
    LogLine,
    action_status,
    asked_of,
    call_filters,
    call_status,
    calls_table,
    name_lines,
    record_filters,
    records_table,
    told_fields,
    toolbar,
)
from apps.partner_portal.selectors.records import before_and_after, names_in
from apps.sync.explorer import find_calls, find_records, get_record_log, get_vendor_call
from apps.sync.models import ErrorClass, ExportKind, RecordLog, RecordPayload
from apps.ui import htmx, markup
from apps.ui.filters import FilterState
from apps.ui.paging import Page, page_queryset
from apps.ui.tables import Table


@require_GET
@requires(Audience.STAFF, "runs.view")
def show_records(request: ActorRequest) -> HttpResponse:
    filters = record_filters(request)
    rows = find_records(request.actor, asked_of(request, filters))
    return _list(request, ExportKind.RECORDS, filters, rows, records_table)


@require_GET
@requires(Audience.STAFF, "runs.view")
def show_calls(request: ActorRequest) -> HttpResponse:
    filters = call_filters(request)
    rows = find_calls(request.actor, asked_of(request, filters))
    return _list(request, ExportKind.CALLS, filters, rows, calls_table)


def _list(
    request: ActorRequest,
    kind: str,
    filters: FilterState,
    rows: QuerySet[Any],
    table: Callable[[list[LogLine]], Table],
) -> HttpResponse:
    after = request.GET.get("after", "")
    if after.isdecimal() and len(after) < 20 and not rows.filter(pk__gt=int(after)).exists():
        return HttpResponse(status=204)  # nothing new: the live list stays as it is
    page: Page[Any] = page_queryset(rows, request, order=("-id",))
    context = {
        "tabs": TABS.of(request, f"log_{kind}"), "filters": filters, "page": page, "kind": kind,
        "table": table(name_lines(request, page.items)), "run_id": request.GET.get("run", ""),
        **toolbar(request, kind, page.items[0].pk if page.items else None),
    }  # fmt: skip
    return htmx.render_page(request, f"partner_portal/log_{kind}.html", "partner_portal/_log_rows.html", context)


@require_GET
@requires(Audience.STAFF, "runs.view")
def show_record_log(request: ActorRequest, log_id: int) -> HttpResponse:
    """The permalink of one fact."""
    log = get_record_log(request.actor, log_id)
    (line,) = name_lines(request, [log])
    context = {
        "log": log, "line": line, "status": action_status(log), "facts": _record_facts(request.actor, line), **_payload(request, log),
        "fields": told_fields(log), "is_ours": log.direction == "read",
        "error_title": dict(ErrorClass.choices).get(log.error_class, "It failed"),
        "crumbs": [("Runs", reverse("partner_portal:runs")), ("Records", reverse("partner_portal:log_records"))],
    }  # fmt: skip
    return render(request, "partner_portal/log_record.html", context)


@require_GET
@requires(Audience.STAFF, "runs.view")
def show_call(request: ActorRequest, call_id: int) -> HttpResponse:
    """The permalink of one call."""
    call = get_vendor_call(request.actor, call_id)
    (line,) = name_lines(request, [call])
    context = {
        "call": call, "line": line, "status": call_status(call), "facts": _call_facts(line),
        "crumbs": [("Runs", reverse("partner_portal:runs")), ("Calls", reverse("partner_portal:log_calls"))],
    }  # fmt: skip
    return render(request, "partner_portal/log_call.html", context)


def _place(line: LogLine) -> list[tuple[str, object]]:
    log = line.log
    return [
        ("At", markup.datetime_tag(log.at, exact=True)),
        ("Customer", line.customer),
        ("Flow", line.flow),
        ("System", line.system),
        ("Run", SafeString(markup.copy_id(log.run_id, short=True))),
    ]


def _record_facts(actor: Actor, line: LogLine) -> list[tuple[str, object]]:
    log = line.log
    took = markup.duration(log.latency_ms / 1000) if log.latency_ms is not None else ""
    return [
        *_place(line),
        ("Direction", "Read from the system" if log.direction == "read" else "Written to the system"),
        ("Object", markup.label_of(log.object_name)),
        ("Id in the system", SafeString(markup.copy_id(log.external_id)) if log.external_id else ""),
        *_elsewhere(actor, log),
        ("Attempts", log.attempts),
        ("Behind its source by", took),
    ]


def _elsewhere(actor: Actor, log: RecordLog) -> list[tuple[str, object]]:
    """The record's ids in the other systems."""
    known = list_places(actor, log.record_id).exclude(connection_id=log.connection_id)
    return [(f"Id in {place.connection.name}", SafeString(markup.copy_id(place.external_id))) for place in known]


def _call_facts(line: LogLine) -> list[tuple[str, object]]:
    call = line.log
    return [
        *_place(line),
        ("Attempt", call.attempt),
        ("Took", markup.duration(call.duration_ms / 1000)),
        ("Size of the answer", markup.bytes_size(call.response_bytes)),
    ]


def _payload(request: ActorRequest, log: RecordLog) -> dict[str, Any]:
    """The values before and after, for those who may see them and as long as they are kept."""
    if not request.actor.can("payloads.view"):
        return {"may_see": False}
    kept = RecordPayload.objects.filter(pk=log.pk).first()
    diff = kept.diff if kept else {}
    names = names_in(request.actor, [(log.entity, diff)]) if log.direction == "read" else {}
    before, after = before_and_after(log, diff, names)
    return {"may_see": True, "is_kept": kept is not None, "before": before, "after": after}
