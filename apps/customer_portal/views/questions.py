"""“Are these two the same?”, asked of the people who know the company."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.canonical.selectors import compare
from apps.core import clock
from apps.core.errors import AnticipatedError, NotPermitted, NotVisible
from apps.customer_portal.selectors.needs import get_question_to_answer, get_value_to_decide
from apps.customer_portal.words import spell_field
from apps.sync.services import answer_different, answer_later, answer_same, answer_value

ANSWERS: dict[str, tuple[Callable[..., object], str]] = {
    "same": (answer_same, "{left} and {right} are one from now on."),
    "different": (answer_different, "{left} and {right} stay two. You are not asked again."),
    "later": (answer_later, "The question is put off."),
}


@require_GET
@requires(Audience.CUSTOMER, "errors.view")
def question_detail(request: ActorRequest, question_id: UUID) -> HttpResponse:
    question = get_question_to_answer(request.actor, question_id)
    context = {
        "question": question, "comparison": compare(question), "may_answer": request.actor.can("errors.resolve"),
    }  # fmt: skip
    return render(request, "customer_portal/question_detail.html", context)


@require_POST
@requires(Audience.CUSTOMER, "errors.resolve")
def decide_value(request: ActorRequest, value_question_id: UUID) -> HttpResponse:
    question = get_value_to_decide(request.actor, value_question_id)
    chosen = request.POST.get("answer", "")
    return _answered(
        request,
        lambda: answer_value(actor=request.actor, now=clock.now(), question=question, answer=chosen),
        f"The {spell_field(question.field)} of {question.record} is settled. Your other systems get it with the next run.",
    )


@require_POST
@requires(Audience.CUSTOMER, "errors.resolve")
def answer(request: ActorRequest, question_id: UUID, answer: str) -> HttpResponse:
    question = get_question_to_answer(request.actor, question_id)
    if answer not in ANSWERS:
        raise NotVisible("There is no such answer.")
    act, told = ANSWERS[answer]
    given: dict[str, Any] = {"take": request.POST.getlist("take")} if answer == "same" else {}
    return _answered(
        request,
        lambda: act(actor=request.actor, now=clock.now(), question=question, **given),
        told.format(left=question.left, right=question.right),
    )


def _answered(request: ActorRequest, act: Callable[[], object], told: str) -> HttpResponse:
    try:
        act()
    except (NotVisible, NotPermitted):
        raise
    except AnticipatedError as error:
        messages.error(request, error.user_message)
    else:
        messages.info(request, told)
    return HttpResponseRedirect(reverse("customer_portal:needs_list"))
