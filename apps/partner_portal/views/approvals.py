"""What waits for somebody to release it before it is written."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.partner_portal.actions import perform
from apps.partner_portal.tabs import Tabs
from apps.sync.models import ApprovalStatus
from apps.sync.selectors import get_approval, list_approvals, list_notices
from apps.sync.services import approve as release
from apps.sync.services import reject as refuse
from apps.ui.paging import page_queryset

TABS = Tabs(("approvals", "Waiting", "approvals.view"), ("notices", "Notices", "approvals.view"))


@require_GET
@requires(Audience.STAFF, "approvals.view")
def show_approvals(request: ActorRequest) -> HttpResponse:
    waiting = list_approvals(request.actor).filter(status=ApprovalStatus.OPEN)
    page = page_queryset(waiting, request, order=("-asked_at", "-id"))
    context = {"page": page, "approvals": page.items, "tabs": TABS.of(request, "approvals")}
    return render(request, "partner_portal/approvals.html", context)


@require_GET
@requires(Audience.STAFF, "approvals.view")
def show_notices(request: ActorRequest) -> HttpResponse:
    page = page_queryset(list_notices(request.actor), request, order=("-created_at", "-id"))
    context = {"page": page, "notices": page.items, "tabs": TABS.of(request, "notices")}
    return render(request, "partner_portal/notices.html", context)


@require_POST
@requires(Audience.STAFF, "approvals.decide")
def approve(request: ActorRequest, approval_id: UUID) -> HttpResponse:
    found = get_approval(request.actor, approval_id)
    return perform(
        request,
        lambda: release(actor=request.actor, now=clock.now(), approval=found, reason=request.POST.get("reason", "")),
        done=f"{found.title} is released and goes to {found.target} now.",
        next_url=reverse("partner_portal:approvals"),
    )


@require_POST
@requires(Audience.STAFF, "approvals.decide")
def reject(request: ActorRequest, approval_id: UUID) -> HttpResponse:
    found = get_approval(request.actor, approval_id)
    return perform(
        request,
        lambda: refuse(actor=request.actor, now=clock.now(), approval=found, reason=request.POST.get("reason", "")),
        done=f"{found.title} stays back until it changes.",
        next_url=reverse("partner_portal:approvals"),
    )
