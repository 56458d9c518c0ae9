"""Values that two systems disagree on, and deletions that seem too many: a person decides."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.canonical.selectors import get_value_question, list_value_questions
from apps.core import clock
from apps.flows.selectors import get_flow
from apps.partner_portal.actions import perform
from apps.partner_portal.views.stewardship import TABS
from apps.sync.selectors import get_deletion_review, list_deletion_reviews
from apps.sync.services import answer_value, approve_deletions, reject_deletions, start_reconcile
from apps.ui.paging import page_queryset


@require_GET
@requires(Audience.STAFF, "records.view")
def show_values(request: ActorRequest) -> HttpResponse:
    page = page_queryset(list_value_questions(request.actor), request, order=("-asked_at", "-id"))
    context = {"page": page, "questions": page.items, "tabs": TABS.of(request, "value_questions")}
    return render(request, "partner_portal/value_questions.html", context)


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def decide(request: ActorRequest, value_question_id: UUID) -> HttpResponse:
    question = get_value_question(request.actor, value_question_id)
    return perform(
        request,
        lambda: answer_value(
            actor=request.actor, now=clock.now(), question=question, answer=request.POST.get("answer", "")
        ),
        done=f"{question.field.capitalize()} of {question.record} is settled; every system is told now.",
        next_url=reverse("partner_portal:value_questions"),
    )


@require_GET
@requires(Audience.STAFF, "records.view")
def show_deletions(request: ActorRequest) -> HttpResponse:
    page = page_queryset(list_deletion_reviews(request.actor), request, order=("-asked_at", "-id"))
    context = {"page": page, "reviews": page.items, "tabs": TABS.of(request, "deletion_reviews")}
    return render(request, "partner_portal/deletion_reviews.html", context)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def approve(request: ActorRequest, review_id: UUID) -> HttpResponse:
    review = get_deletion_review(request.actor, review_id)
    return perform(
        request,
        lambda: approve_deletions(actor=request.actor, now=clock.now(), review=review),
        done=f"{review.count} deletions go through.",
        next_url=reverse("partner_portal:deletion_reviews"),
    )


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def reject(request: ActorRequest, review_id: UUID) -> HttpResponse:
    review = get_deletion_review(request.actor, review_id)
    return perform(
        request,
        lambda: reject_deletions(actor=request.actor, now=clock.now(), review=review),
        done="Nothing is deleted.",
        next_url=reverse("partner_portal:deletion_reviews"),
    )


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def compare_all(request: ActorRequest, flow_id: UUID) -> HttpResponse:
    flow = get_flow(request.actor, flow_id)
    return perform(
        request,
        lambda: start_reconcile(actor=request.actor, now=clock.now(), flow=flow),
        done="Everything is read and compared now; what vanished is treated as deleted.",
        next_url=reverse("partner_portal:policies_of_integration", args=[flow.integration_id]),
    )
