"""Keeping a view of a list and choosing its columns; each leads back to the list."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.accounts.services import UnableToSaveView, choose_columns, delete_view, save_view
from apps.core import clock


@require_POST
@requires(Audience.SIGNED_IN)
def save(request: ActorRequest, page: str) -> HttpResponse:
    try:
        view = save_view(
            user=request.user, page=page, name=request.POST.get("name", ""), query=request.POST.get("query", ""), now=clock.now()
        )  # fmt: skip
    except UnableToSaveView as error:
        messages.error(request, error.user_message)
    else:
        messages.info(request, f"“{view.name}” is kept under Views.")
    return _back(request)


@require_POST
@requires(Audience.SIGNED_IN)
def delete(request: ActorRequest, view_id: UUID) -> HttpResponse:
    delete_view(user=request.user, view_id=view_id)
    return _back(request)


@require_POST
@requires(Audience.SIGNED_IN)
def columns(request: ActorRequest, page: str) -> HttpResponse:
    shown = set(request.POST.getlist("shown"))
    try:
        choose_columns(
            user=request.user, page=page, hidden=set(request.POST.getlist("column")) - shown, now=clock.now()
        )
    except UnableToSaveView as error:
        messages.error(request, error.user_message)
    return _back(request)


def _back(request: ActorRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return HttpResponseRedirect(target if safe else "/")
