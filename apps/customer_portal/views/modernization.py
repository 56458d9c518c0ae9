from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.customer_portal.selectors.modernization import move_of, told_status


@require_GET
@requires(Audience.CUSTOMER, "integrations.view")
def modernization(request: ActorRequest) -> HttpResponse:
    """The waves, what is replaced and what comes next."""
    move = move_of(request.actor)
    context = {
        "crumbs": [("Integrations", reverse("customer_portal:integration_list"))],
        "move": move,
        "waves": [(state, [(one, told_status(one)) for one in state.interfaces]) for state in move.waves],
    }
    return render(request, "customer_portal/modernization.html", context)
