"""The error desk: what is broken, why, and what to do."""

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
from apps.core.errors import NotVisible
from apps.customers.selectors import get_customer
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.customer_page import render_tab
from apps.partner_portal.forms.errors import IgnoreForm
from apps.partner_portal.lists.errors import errors_context
from apps.partner_portal.needs import count_of
from apps.partner_portal.selectors.failures import unsolved_failures
from apps.sync.models import FailureStatus, RecordFailure
from apps.sync.selectors import explain_failure, get_failure
from apps.sync.services import ignore_failure, retry_failure, retry_failures
from apps.ui import htmx
from apps.ui.paging import page_queryset
from apps.ui.status import status_of
from apps.ui.tables import Column, build_table


@require_GET
@requires(Audience.STAFF, "errors.view")
def show_errors(request: ActorRequest) -> HttpResponse:
    context = errors_context(request, unsolved_failures(request.actor), across=True)
    return htmx.render_page(request, "partner_portal/errors.html", "partner_portal/_error_rows.html", context)


@require_GET
@requires(Audience.STAFF, "errors.view")
def show_customer_errors(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    own = unsolved_failures(request.actor).filter(customer_id=customer.pk)
    context = errors_context(request, own, customer_id=str(customer.pk))
    return render_tab(request, customer, "customer_errors", context, partial="_error_rows.html")


COLUMNS = (
    Column("record", "Record", value=lambda failure: failure.record_title or failure.external_id, sub="object_name", main=True),
    Column("customer", "Customer", value="customer.name"),
    Column("state", "State", "status", value=lambda failure: status_of(failure.status, label=failure.get_status_display(), tone="failing" if failure.status == FailureStatus.OPEN else "")),
    Column("message", "Answer of the system", clip=True, wide_only=True),
    Column("attempts", "Attempts", "number"),
    Column("last_at", "Last", "datetime"),
)  # fmt: skip


@require_GET
@requires(Audience.STAFF, "errors.view")
def show_group(request: ActorRequest, fingerprint: str) -> HttpResponse:
    failures, scope = _group(request, fingerprint)
    page: Any = page_queryset(failures, request, order=("-last_at", "-id"))
    if not page.items:
        if "cursor" in request.GET:
            return htmx.redirect(request, request.path)
        return _settled(request, fingerprint)
    table = build_table(
        page.items, COLUMNS, caption="Failed records of this cause", noun="records",
        url=lambda failure: reverse("partner_portal:error", args=[failure.pk]),
    )  # fmt: skip
    example = page.items[0]
    open_count = failures.filter(status=FailureStatus.OPEN).count()
    context = {
        "page": page, "table": table, "example": example, "explanation": explain_failure(example), "scope": scope,
        "fingerprint": fingerprint, "open_count": open_count, "total": failures.count(),
        "crumbs": [("Error desk", reverse("partner_portal:errors"))],
    }  # fmt: skip
    return htmx.render_page(
        request, "partner_portal/error_group.html", "partner_portal/_error_group_rows.html", context
    )


def _group(request: ActorRequest, fingerprint: str) -> tuple[QuerySet[RecordFailure], str]:
    """The unsolved failures of one cause, of one customer alone when the address says so."""
    failures = unsolved_failures(request.actor).filter(fingerprint=fingerprint)
    scope = request.GET.get("customer", "")
    if scope:
        try:
            failures = failures.filter(customer_id=UUID(scope))
        except ValueError:
            raise NotVisible("There is no such customer.") from None
    return failures.select_related("customer", "connection", "flow__integration"), scope


def _settled(request: ActorRequest, fingerprint: str) -> HttpResponse:
    """A cause that was known once is settled; one that never was is not there."""
    if not RecordFailure.objects.visible_to(request.actor).filter(fingerprint=fingerprint).exists():
        raise NotVisible("There is no such cause.")
    messages.info(request, "Every record of this cause is settled.")
    return htmx.redirect(request, reverse("partner_portal:errors"))


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def retry_group(request: ActorRequest, fingerprint: str) -> HttpResponse:
    failures, scope = _group(request, fingerprint)
    ids = list(failures.filter(status=FailureStatus.OPEN).values_list("pk", flat=True))
    own = reverse("partner_portal:error_group", args=[fingerprint]) + (f"?customer={scope}" if scope else "")
    return perform(
        request,
        lambda: retry_failures(actor=request.actor, now=clock.now(), failure_ids=ids),
        done=f"{count_of(len(ids), 'record')} will be tried again now, oldest first.",
        next_url=own,
    )


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "errors.view")
def show_error(request: ActorRequest, failure_id: UUID) -> HttpResponse:
    failure = get_failure(request.actor, failure_id)
    form = IgnoreForm(request.POST or None)
    if request.method == "POST":
        request.actor.require("errors.resolve")
        left = submit(
            form,
            lambda data: ignore_failure(actor=request.actor, now=clock.now(), failure=failure, reason=data["reason"]),
        )
        if left is not None:
            messages.info(request, "The record is left as it is, for as long as it fails for the same cause.")
            return htmx.redirect(request, reverse("partner_portal:errors"))
    context = {
        "failure": failure, "form": form, "explanation": explain_failure(failure),
        "status": status_of(failure.status, label=str(failure.get_status_display())),
        "is_unsolved": failure.status in (FailureStatus.OPEN, FailureStatus.RETRYING),
        "can_retry": failure.status == FailureStatus.OPEN and request.actor.can("errors.resolve"),
        "payload": failure.payload if request.actor.can("payloads.view") else None, "crumbs": _crumbs(failure),
    }  # fmt: skip
    return render(request, "partner_portal/error.html", context)


def _crumbs(failure: RecordFailure) -> list[tuple[str, str]]:
    group = reverse("partner_portal:error_group", args=[failure.fingerprint])
    return [("Error desk", reverse("partner_portal:errors")), ("Cause", group)]


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
