"""Acting on failures: again, to whom, later, never, or corrected."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import AnticipatedError
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.failure_acts import FORMS, carry_out, find_group
from apps.partner_portal.forms.errors import CommentForm, EditForm, SnoozeForm
from apps.partner_portal.lists.errors import failure_filters, narrow
from apps.partner_portal.needs import count_of
from apps.partner_portal.selectors.sent import describe_sent
from apps.sync.desk import get_retry, list_retries, retry_progress
from apps.sync.models import FailureRetry, RecordFailure
from apps.sync.selectors import explain_failure, get_failure
from apps.sync.services import (
    UnableToEdit,
    cancel_retry,
    comment_failure,
    edit_and_retry,
    find_editable,
    retry_failure,
    start_retry,
)
from apps.ui import htmx
from apps.ui.paging import page_queryset
from apps.ui.tables import Column, build_table


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def retry(request: ActorRequest, failure_id: UUID) -> HttpResponse:
    failure = get_failure(request.actor, failure_id)
    return perform(
        request,
        lambda: retry_failure(actor=request.actor, now=clock.now(), failure=failure),
        done="The record will be tried again now.",
        next_url=reverse("partner_portal:error", args=[failure.pk]),
    )


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def retry_group(request: ActorRequest, fingerprint: str) -> HttpResponse:
    failures, scope = find_group(request, fingerprint)
    example = failures.order_by("-last_at", "-id").first()
    own = reverse("partner_portal:error_group", args=[fingerprint]) + (f"?{scope}" if scope else "")
    return _start(request, failures, explain_failure(example).cause if example else "", own)


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def retry_matching(request: ActorRequest) -> HttpResponse:
    """Everything the list's filters match, whatever its cause."""
    filters = failure_filters(request, across=True)
    failures = narrow(RecordFailure.objects.visible_to(request.actor), filters)
    chosen = [f"{chip.label}: {chip.text}" for chip in filters.chips if chip.text]
    label = " · ".join([*chosen, *([f"“{filters.search}”"] if filters.search else [])]) or "Everything open"
    return _start(request, failures, label, reverse("partner_portal:errors"))


def _start(request: ActorRequest, failures: QuerySet[RecordFailure], label: str, own: str) -> HttpResponse:
    try:
        started = start_retry(actor=request.actor, now=clock.now(), failures=failures, label=label)
    except AnticipatedError as error:
        messages.error(request, error.user_message)
        return htmx.redirect(request, own)
    messages.info(request, f"{count_of(started.total, 'record')} will be tried again now, oldest first.")
    return htmx.redirect(request, reverse("partner_portal:error_retry_progress", args=[started.pk]))


RETRIES = (
    Column("label", "What", main=True),
    Column("total", "Records", "number"),
    Column("left_out", "Left out", "number", value="left_out_count", wide_only=True),
    Column("by", "By", value="requested_by_label"),
    Column("at", "Asked", "datetime", value="requested_at"),
)


@require_GET
@requires(Audience.STAFF, "errors.view")
def show_retries(request: ActorRequest) -> HttpResponse:
    page = page_queryset(list_retries(request.actor), request, order=("-requested_at", "-id"))
    table = build_table(
        page.items, RETRIES, caption="Retries of many records", noun="retries",
        url=lambda found: reverse("partner_portal:error_retry_progress", args=[found.pk]),
    )  # fmt: skip
    context = {"page": page, "table": table, "crumbs": [("Error desk", reverse("partner_portal:errors"))]}
    return htmx.render_page(
        request, "partner_portal/error_retries.html", "partner_portal/_error_retry_rows.html", context
    )


@require_GET
@requires(Audience.STAFF, "errors.view")
def show_retry(request: ActorRequest, retry_id: UUID) -> HttpResponse:
    found = get_retry(request.actor, retry_id)
    context = {**_progress(found), "crumbs": [
        ("Error desk", reverse("partner_portal:errors")), ("Retries", reverse("partner_portal:error_retries")),
    ]}  # fmt: skip
    return htmx.render_page(request, "partner_portal/error_retry.html", "partner_portal/_error_retry.html", context)


def _progress(retry: FailureRetry) -> dict[str, Any]:
    progress = retry_progress(retry)
    elapsed = max((clock.now() - retry.requested_at).total_seconds(), 1)
    rate = progress.done / elapsed
    again = retry.failures.filter(status="open").select_related("customer", "connection").order_by("first_at", "id")
    return {
        "retry": retry, "progress": progress, "rate": rate if progress.is_active and rate >= 1 else None,
        "eta_seconds": round(progress.waiting / rate) if progress.is_active and rate else None,
        "poll_url": reverse("partner_portal:error_retry_progress", args=[retry.pk]) if progress.is_active else "",
        "again": list(again[:20]),
    }  # fmt: skip


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def stop_retry(request: ActorRequest, retry_id: UUID) -> HttpResponse:
    found = get_retry(request.actor, retry_id)
    return perform(
        request,
        lambda: cancel_retry(actor=request.actor, now=clock.now(), retry=found),
        done="What was not tried yet is back on the desk.",
        next_url=reverse("partner_portal:error_retry_progress", args=[found.pk]),
    )


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def act_on_group(request: ActorRequest, fingerprint: str, act: str) -> HttpResponse:
    failures, scope = find_group(request, fingerprint)
    own = reverse("partner_portal:error_group", args=[fingerprint]) + (f"?{scope}" if scope else "")
    return _act(request, act, failures, own)


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def act_on_error(request: ActorRequest, failure_id: UUID, act: str) -> HttpResponse:
    failure = get_failure(request.actor, failure_id)
    own = reverse("partner_portal:error", args=[failure.pk])
    return _act(request, act, RecordFailure.objects.visible_to(request.actor).filter(pk=failure.pk), own)


def _act(request: ActorRequest, act: str, failures: QuerySet[RecordFailure], own: str) -> HttpResponse:
    form = FORMS[act](request.POST) if act in FORMS else None
    if form is not None and not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return htmx.redirect(request, own)
    given = form.chosen(clock.now()) if isinstance(form, SnoozeForm) else form.cleaned_data if form else {}
    said: list[str] = []
    response = perform(request, lambda: said.append(carry_out(request, act, failures, given)), done="", next_url=own)
    for text in said:
        messages.info(request, text)
    return response


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def comment(request: ActorRequest, failure_id: UUID) -> HttpResponse:
    failure = get_failure(request.actor, failure_id)
    form = CommentForm(request.POST)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    return perform(
        request,
        lambda: comment_failure(actor=request.actor, now=clock.now(), failure=failure, text=text),
        done="",
        next_url=reverse("partner_portal:error", args=[failure.pk]),
    )


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "errors.resolve")
def edit(request: ActorRequest, failure_id: UUID) -> HttpResponse:
    failure = get_failure(request.actor, failure_id)
    own = reverse("partner_portal:error", args=[failure.pk])
    try:
        editable = find_editable(request.actor, failure)
    except UnableToEdit as error:
        messages.error(request, error.user_message)
        return htmx.redirect(request, own)
    form = EditForm(request.POST or None, editable=editable.fields, version=editable.record.version)
    if request.method == "POST":
        edited = submit(form, lambda data: edit_and_retry(
            actor=request.actor, now=clock.now(), failure=failure, values=form.values(), version=data["version"],
        ))  # fmt: skip
        if edited is not None:
            messages.info(request, "The record is corrected and will be tried again now.")
            return htmx.redirect(request, own)
    context = {
        "failure": failure, "form": form, "record": editable.record, "explanation": explain_failure(failure),
        "sent": describe_sent(request.actor, failure),
        "crumbs": [("Error desk", reverse("partner_portal:errors")), (failure.name, own)],
    }  # fmt: skip
    return render(request, "partner_portal/error_edit.html", context)
