"""Are these two the same? The queue, the comparison, the answers, and the way back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.canonical.models import Entity, MatchQuestion, QuestionStatus
from apps.canonical.selectors import compare, get_merge, get_question, list_merges, list_questions
from apps.canonical.services import UnableToMerge, reopen_question
from apps.core import clock
from apps.partner_portal.actions import perform
from apps.partner_portal.lists.runs import customer_choices
from apps.partner_portal.tabs import Tabs
from apps.sync.services import PlannedUpdate, answer_different, answer_later, answer_same, preview_merge, undo_merge
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters
from apps.ui.links import link_to
from apps.ui.paging import page_queryset
from apps.ui.status import status_of
from apps.ui.tables import Column, build_table

TABS = Tabs(
    ("questions", "Questions", "records.view"),
    ("value_questions", "Values", "records.view"),
    ("deletion_reviews", "Deletions", "records.view"),
    ("merges", "Merges", "records.view"),
    ("match_rules", "Rules", "records.view"),
    ("id_pairs", "Import of ids", "integrations.manage"),
    ("joinings", "Joined customers", "integrations.manage"),
)
_STATE_TONES = {QuestionStatus.OPEN: "attention", QuestionStatus.LATER: "idle", QuestionStatus.DIFFERENT: "ok"}
QUESTIONS = (
    Column("left", "New record", value="left", sub=lambda question: question.get_entity_display(), main=True),
    Column("right", "May be the same as", value="right", sub=lambda question: _reasons(question)),
    Column("score", "Sure", "percent", value="score"),
    Column("customer", "Customer", value="customer.name", wide_only=True),
    Column("state", "State", "status", value=lambda question: _status(question)),
    Column("asked_at", "Asked", "datetime"),
)
MERGES = (
    Column("kept", "Record", value="kept", main=True),
    Column("dropped", "Merged with", value="dropped_title"),
    Column("customer", "Customer", value="customer.name", wide_only=True),
    Column("by", "By", value="merged_by_label", wide_only=True),
    Column("merged_at", "Merged", "datetime"),
    Column("undo", "Undo", template="partner_portal/_merge_actions.html", hidden_label=True),
)


def _reasons(question: MatchQuestion) -> str:
    return ", ".join(str(reason["label"]) for reason in question.reasons)


def _status(question: MatchQuestion) -> Any:
    return status_of(question.status, label=str(question.get_status_display()), tone=_STATE_TONES[question.status])  # type: ignore[index]


@require_GET
@requires(Audience.STAFF, "records.view")
def show_questions(request: ActorRequest) -> HttpResponse:
    filters = parse_filters(
        request,
        [
            Filter("state", "State", QuestionStatus.choices),
            Filter("entity", "Kind", [(e.value, str(e.label)) for e in (Entity.ACCOUNT, Entity.CONTACT, Entity.RESOURCE, Entity.PROJECT)]),
            Filter("customer", "Customer", customer_choices(request), icon="users"),
        ],
        search_placeholder="Name of either record",
    )  # fmt: skip
    found = list_questions(request.actor).filter(status__in=filters.chosen("state") or [QuestionStatus.OPEN])
    if filters.chosen("entity"):
        found = found.filter(entity__in=filters.chosen("entity"))
    if filters.chosen("customer"):
        found = found.filter(customer_id__in=filters.chosen("customer"))
    if filters.search:
        found = found.filter(Q(left__title__icontains=filters.search) | Q(right__title__icontains=filters.search))
    page = page_queryset(found, request, order=("-asked_at", "-id"))
    table = build_table(
        page.items, QUESTIONS, caption="Questions", noun="questions",
        url=lambda question: link_to("partner_portal:question")(question.pk),
    )  # fmt: skip
    context = {"filters": filters, "page": page, "table": table, "tabs": TABS.of(request, "questions")}
    return htmx.render_page(request, "partner_portal/questions.html", "partner_portal/_question_rows.html", context)


@require_GET
@requires(Audience.STAFF, "records.view")
def show_question(request: ActorRequest, question_id: UUID) -> HttpResponse:
    question, take = get_question(request.actor, question_id), request.GET.getlist("take")
    may_answer = request.actor.can("errors.resolve") and question.status != QuestionStatus.DIFFERENT
    planned, obstacle = _preview(request, question, take) if may_answer else ([], "")
    context = {
        "question": question, "comparison": compare(question, take), "take": take, "planned": planned,
        "obstacle": obstacle, "may_answer": may_answer, "status": _status(question),
        "may_reopen": request.actor.can("errors.resolve") and question.status != QuestionStatus.OPEN,
        "crumbs": [("Stewardship", reverse("partner_portal:questions"))],
    }  # fmt: skip
    return render(request, "partner_portal/question.html", context)


def _preview(request: ActorRequest, question: MatchQuestion, take: list[str]) -> tuple[list[PlannedUpdate], str]:
    """What would be written where, or why the two cannot be one."""
    try:
        return preview_merge(actor=request.actor, question=question, take=take), ""
    except UnableToMerge as error:
        return [], error.user_message


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def same(request: ActorRequest, question_id: UUID) -> HttpResponse:
    question = get_question(request.actor, question_id)
    return perform(
        request,
        lambda: answer_same(actor=request.actor, now=clock.now(), question=question, take=request.POST.getlist("take")),
        done=f"{question.left} and {question.right} are one record now. It can be undone under Merges.",
        next_url=reverse("partner_portal:questions"),
    )


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def different(request: ActorRequest, question_id: UUID) -> HttpResponse:
    question = get_question(request.actor, question_id)
    return perform(
        request,
        lambda: answer_different(actor=request.actor, now=clock.now(), question=question),
        done="They stay two, and you are not asked again. What waited for the answer is written now.",
        next_url=reverse("partner_portal:questions"),
    )


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def later(request: ActorRequest, question_id: UUID) -> HttpResponse:
    question = get_question(request.actor, question_id)
    return perform(
        request,
        lambda: answer_later(actor=request.actor, now=clock.now(), question=question),
        done="The question is put off; until it is answered the new record is not written where the other is known.",
        next_url=reverse("partner_portal:questions"),
    )


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def reopen(request: ActorRequest, question_id: UUID) -> HttpResponse:
    question = get_question(request.actor, question_id)
    return perform(
        request,
        lambda: reopen_question(actor=request.actor, now=clock.now(), question=question),
        done="",
        next_url=reverse("partner_portal:question", args=[question.pk]),
    )


@require_GET
@requires(Audience.STAFF, "records.view")
def show_merges(request: ActorRequest) -> HttpResponse:
    page = page_queryset(list_merges(request.actor), request, order=("-merged_at", "-id"))
    table = build_table(
        page.items, MERGES, caption="Merges", noun="merges",
        url=lambda merge: link_to("partner_portal:record")(merge.kept_id),
    )  # fmt: skip
    context = {"page": page, "table": table, "tabs": TABS.of(request, "merges")}
    return htmx.render_page(request, "partner_portal/merges.html", "partner_portal/_merge_rows.html", context)


@require_POST
@requires(Audience.STAFF, "errors.resolve")
def undo(request: ActorRequest, merge_id: UUID) -> HttpResponse:
    merge = get_merge(request.actor, merge_id)
    return perform(
        request,
        lambda: undo_merge(actor=request.actor, now=clock.now(), merge=merge),
        done=f"{merge.dropped_title} is a record of its own again, as before the merge.",
        next_url=reverse("partner_portal:merges"),
    )
