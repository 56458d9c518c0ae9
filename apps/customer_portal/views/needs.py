from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import AnticipatedError
from apps.customer_portal.cards import need_cards
from apps.customer_portal.selectors.needs import (
    by_cause,
    count_decisions,
    count_failures_with_partner,
    explain,
    get_failure_to_fix,
    list_exceptions_to_solve,
    list_failures_to_fix,
    list_own_approvals,
    list_questions_to_answer,
    list_values_to_decide,
    list_waiting_connections,
)
from apps.customer_portal.words import begin, count_of, spell_field
from apps.sync.services import retry_failure
from apps.ui.paging import page_queryset

PAGE_SIZE = 25


@require_GET
@requires(Audience.CUSTOMER, "errors.view")
def needs_list(request: ActorRequest) -> HttpResponse:
    actor, now = request.actor, clock.now()
    page = page_queryset(list_failures_to_fix(actor), request, order=("-last_at", "-id"), size=PAGE_SIZE)
    context = {
        "connections": need_cards(list_waiting_connections(actor), [], may_connect=actor.can("connections.authorize")),
        "causes": by_cause(explain(failure) for failure in page.items),
        "page": page,
        "questions": list(list_questions_to_answer(actor)[:PAGE_SIZE]),
        "values": [(q, begin(spell_field(q.field))) for q in list_values_to_decide(actor)[:PAGE_SIZE]],
        "with_partner": _told(count_failures_with_partner(actor)),
        "approvals": list(list_own_approvals(actor)[:PAGE_SIZE]),
        "exceptions": list(list_exceptions_to_solve(actor, now)[:PAGE_SIZE]),
        "more": {kind: count - PAGE_SIZE for kind, count in count_decisions(actor, now).items() if count > PAGE_SIZE},
        "may_retry": actor.can("errors.resolve"),
    }
    return render(request, "customer_portal/needs_list.html", context)


@require_POST
@requires(Audience.CUSTOMER, "errors.resolve")
def retry(request: ActorRequest, failure_id: UUID) -> HttpResponse:
    failure = get_failure_to_fix(request.actor, failure_id)
    try:
        retry_failure(actor=request.actor, now=clock.now(), failure=failure)
    except AnticipatedError as error:
        messages.error(request, error.user_message)
    else:
        messages.info(request, f"We are trying {failure.name or 'the record'} again.")
    return HttpResponseRedirect(reverse("customer_portal:needs_list"))


def _told(count: int) -> str:
    """What other records wait for, when it is not the customer's to solve."""
    if not count:
        return ""
    return begin(f"{count_of(count, 'more record')} could not be brought into step. There is nothing you need to do.")
