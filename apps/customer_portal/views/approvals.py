"""What the customer releases before it is written."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import AnticipatedError, NotPermitted, NotVisible
from apps.customer_portal.selectors.needs import get_own_approval
from apps.sync.services import approve as release
from apps.sync.services import reject as refuse


@require_POST
@requires(Audience.CUSTOMER, "approvals.decide")
def approve(request: ActorRequest, approval_id: UUID) -> HttpResponse:
    return _decide(request, approval_id, release, "{title} is released and goes to {target} now.")


@require_POST
@requires(Audience.CUSTOMER, "approvals.decide")
def reject(request: ActorRequest, approval_id: UUID) -> HttpResponse:
    return _decide(request, approval_id, refuse, "{title} stays back until it changes.")


def _decide(request: ActorRequest, approval_id: UUID, act: Callable[..., object], told: str) -> HttpResponse:
    found = get_own_approval(request.actor, approval_id)
    try:
        act(actor=request.actor, now=clock.now(), approval=found, reason=request.POST.get("reason", ""))
    except (NotVisible, NotPermitted):
        raise
    except AnticipatedError as error:
        messages.error(request, error.user_message)
    else:
        messages.info(request, told.format(title=found.title, target=found.target))
    return HttpResponseRedirect(reverse("customer_portal:needs_list"))
