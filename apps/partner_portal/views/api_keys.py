"""Keys for machines. A secret is shown in the answer to its creation and never again."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.accounts.policies import API_SCOPES
from apps.accounts.selectors import get_api_key, list_api_keys
from apps.accounts.services import create_api_key, revoke_api_key
from apps.core import clock
from apps.core.errors import AnticipatedError, NotVisible
from apps.customers.models import Customer
from apps.partner_portal.forms.api_keys import ApiKeyForm
from apps.partner_portal.views.settings_tabs import answer, settings_tabs


@requires(Audience.STAFF, "keys.manage")
def key_list(request: ActorRequest) -> HttpResponse:
    now = clock.now()
    keys = list(list_api_keys(request.actor))
    wanted = [key.customer_id for key in keys if key.customer_id]
    names = dict(Customer.objects.visible_to(request.actor).filter(pk__in=wanted).values_list("pk", "name"))
    rows = [
        {
            "key": key,
            "usable": key.is_usable(now),
            "customer": names.get(key.customer_id, "") if key.customer_id else "All customers",
            "scopes": [API_SCOPES.get(scope, scope) for scope in key.scopes],
        }
        for key in keys
    ]
    return render(request, "partner_portal/api_keys.html", {"tabs": settings_tabs(request, "api_keys"), "rows": rows})


@requires(Audience.STAFF, "keys.manage")
@never_cache
def create(request: ActorRequest) -> HttpResponse:
    form = ApiKeyForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        now, chosen = clock.now(), form.cleaned_data
        try:
            key, secret = create_api_key(
                actor=request.actor, now=now, name=chosen["name"], scopes=chosen["scopes"],
                customer_id=UUID(chosen["customer"]) if chosen["customer"] else None, expires_at=form.expires_at(now),
            )  # fmt: skip
        except AnticipatedError as error:
            form.add_error(error.field if error.field in form.fields else None, error.user_message)
        else:
            return render(request, "partner_portal/api_key_created.html", {"key": key, "secret": secret})
    return render(
        request,
        "partner_portal/api_key_create.html",
        {"form": form, "crumbs": [("API keys", reverse("partner_portal:api_keys"))]},
    )


@requires(Audience.STAFF, "keys.manage")
@require_POST
def revoke(request: ActorRequest, key_id: UUID) -> HttpResponse:
    try:
        key = get_api_key(request.actor, key_id)
    except NotVisible as error:
        raise Http404 from error
    return answer(
        request, "api_keys",
        lambda: revoke_api_key(actor=request.actor, now=clock.now(), key=key),
        f"The key {key.name} no longer works.",
    )  # fmt: skip
