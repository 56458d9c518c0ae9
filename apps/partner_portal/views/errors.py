"""The error desk: what is broken, why, and what to do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import NotVisible
from apps.customers.selectors import get_customer
from apps.partner_portal.actions import submit
from apps.partner_portal.customer_page import render_tab
from apps.partner_portal.failure_acts import acts_on, find_group, notes_of
from apps.partner_portal.forms.errors import CommentForm, IgnoreForm
from apps.partner_portal.lists.errors import errors_context
from apps.partner_portal.selectors.sent import describe_sent, mapping_url
from apps.sync.desk import is_snoozed, standing_of, trend_of
from apps.sync.explanations import refused_field, shown_code
from apps.sync.models import UNSOLVED, FailureStatus, RecordFailure
from apps.sync.selectors import explain_failure, get_failure
from apps.sync.sent import is_ours, object_label
from apps.sync.services import ignore_failure
from apps.ui import htmx
from apps.ui.links import link_to
from apps.ui.paging import page_queryset
from apps.ui.status import Status, status_of
from apps.ui.tables import Column, build_table


@require_GET
@requires(Audience.STAFF, "errors.view")
def show_errors(request: ActorRequest) -> HttpResponse:
    context = errors_context(request, RecordFailure.objects.visible_to(request.actor), across=True)
    if isinstance(context, HttpResponse):
        return context
    return htmx.render_page(request, "partner_portal/errors.html", "partner_portal/_error_rows.html", context)


@require_GET
@requires(Audience.STAFF, "errors.view")
def show_customer_errors(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    own = RecordFailure.objects.visible_to(request.actor).filter(customer_id=customer.pk)
    context = errors_context(request, own, customer_id=str(customer.pk))
    if isinstance(context, HttpResponse):
        return context
    return render_tab(request, customer, "customer_errors", context, partial="_error_rows.html")


def _state(failure: RecordFailure) -> Status:
    tone = "failing" if failure.status == FailureStatus.OPEN else ""
    return status_of(failure.status, label=str(failure.get_status_display()), tone=tone)


CORRECTED = "The invoice was corrected."
COLUMNS = (
    Column("record", "Record", value="name", sub=object_label, main=True),
    Column("customer", "Customer", value="customer.name"),
    Column("state", "State", "status", value=_state),
    Column("assignee", "Looked after by", value="assignee_label", wide_only=True),
    Column("message", "Answer of the system", clip=True, wide_only=True),
    Column("attempts", "Attempts", "number"),
    Column("last_at", "Last", "datetime"),
)  # fmt: skip


@require_GET
@requires(Audience.STAFF, "errors.view")
def show_group(request: ActorRequest, fingerprint: str) -> HttpResponse:
    failures, scope = find_group(request, fingerprint)
    page: Any = page_queryset(failures, request, order=("-last_at", "-id"))
    if not page.items:
        if "cursor" in request.GET:
            return htmx.redirect(request, request.path)
        return _settled(request, fingerprint)
    # Where all say the same, the page's title says it.
    is_said = len({failure.message for failure in page.items}) == 1
    columns = [column for column in COLUMNS if column.key != "message" or not is_said]
    table = build_table(
        page.items, columns, caption="Failed records of this cause", noun="records",
        url=lambda failure: link_to("partner_portal:error")(failure.pk),
    )  # fmt: skip
    example = page.items[0]
    seen, now = RecordFailure.objects.visible_to(request.actor), clock.now()
    standing = standing_of(failures, now)
    context = {
        "page": page, "table": table, "example": example, "explanation": explain_failure(example), "scope": scope,
        "fingerprint": fingerprint, "code": shown_code(example), "field": refused_field(example),
        "open_count": standing.open,
        "by_hand": is_ours(example),
        "total": standing.total, "trend": trend_of(seen, [fingerprint], now)[fingerprint],
        "acts": acts_on(request, standing, "error_group_act", fingerprint, scope), "is_desk": True,
        "crumbs": [("Error desk", reverse("partner_portal:errors"))],
    }  # fmt: skip
    return htmx.render_page(
        request, "partner_portal/error_group.html", "partner_portal/_error_group_rows.html", context
    )


def _settled(request: ActorRequest, fingerprint: str) -> HttpResponse:
    """A cause that was known once is settled; one that never was is not there."""
    if not RecordFailure.objects.visible_to(request.actor).filter(fingerprint=fingerprint).exists():
        raise NotVisible("There is no such cause.")
    messages.info(request, "Every record of this cause is settled.")
    return htmx.redirect(request, reverse("partner_portal:errors"))


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "errors.view")
def show_error(request: ActorRequest, failure_id: UUID) -> HttpResponse:
    failure = get_failure(request.actor, failure_id)
    if request.method == "GET" and htmx.is_partial(request):
        return _whether_tried(failure)
    form = IgnoreForm(request.POST or None, initial={"reason": CORRECTED if is_ours(failure) else ""})
    if request.method == "POST":
        request.actor.require("errors.resolve")
        left = submit(
            form,
            lambda data: ignore_failure(actor=request.actor, now=clock.now(), failure=failure, reason=data["reason"]),
        )
        if left is not None:
            messages.info(request, "The record is left as it is, for as long as it fails for the same cause.")
            return htmx.redirect(request, reverse("partner_portal:errors"))
    context = {**_described(request, failure), "form": form}
    return render(request, "partner_portal/error.html", context)


def _whether_tried(failure: RecordFailure) -> HttpResponse:
    """What the page asks while the record is tried again: it is loaded anew, once something came of it."""
    is_tried = failure.status != FailureStatus.RETRYING
    return HttpResponse(status=204, headers={"HX-Refresh": "true"} if is_tried else {})


def _described(request: ActorRequest, failure: RecordFailure) -> dict[str, Any]:
    """What is known of one failure, and what the person may do about it."""
    now = clock.now()
    one = RecordFailure.objects.visible_to(request.actor).filter(pk=failure.pk)
    can_retry = failure.status == FailureStatus.OPEN and request.actor.can("errors.resolve")
    return {
        "failure": failure, "explanation": explain_failure(failure), "is_desk": True, "status": _state(failure),
        "is_unsolved": failure.status in UNSOLVED, "is_snoozed": is_snoozed(failure, now),
        "can_retry": can_retry, "by_hand": is_ours(failure),
        "can_edit": can_retry and failure.record_id and request.actor.can("payloads.view"),
        "acts": acts_on(request, standing_of(one, now), "error_act", failure.pk, ""), "notes": notes_of(request, failure),
        "comment_form": CommentForm(auto_id="comment_%s") if request.actor.can("errors.resolve") else None,
        "sent": describe_sent(request.actor, failure), "code": shown_code(failure), "field": refused_field(failure),
        "crumbs": _crumbs(failure), "poll_url": request.path if failure.status == FailureStatus.RETRYING else "",
        "mapping_url": mapping_url(request.actor, failure),
    }  # fmt: skip


def _crumbs(failure: RecordFailure) -> list[tuple[str, str]]:
    group = reverse("partner_portal:error_group", args=[failure.fingerprint])
    return [("Error desk", reverse("partner_portal:errors")), ("Cause", group)]
