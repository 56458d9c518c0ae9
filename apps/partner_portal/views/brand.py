"""How the partner looks to its customers: editor and live preview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import ActorRequest, Audience, requires
from apps.branding.models import BrandSettings
from apps.branding.selectors import default_brand_settings, find_brand_settings
from apps.branding.services import change_brand, reset_brand
from apps.branding.theme import theme_css
from apps.core import clock
from apps.core.errors import AnticipatedError
from apps.partner_portal.forms.brand import IMAGE_SLOTS, BrandForm
from apps.partner_portal.views.brand_preview import build_preview, read_look
from apps.partner_portal.views.settings_tabs import answer, settings_tabs


@requires(Audience.STAFF, "brand.manage")
def edit(request: ActorRequest) -> HttpResponse:
    settings = find_brand_settings() or default_brand_settings()
    form = BrandForm.of(settings, request.POST or None, request.FILES or None)
    suggestion = ""
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, form)
        except AnticipatedError as error:
            form.add_error(error.field if error.field in form.fields else None, error.user_message)
            suggestion = getattr(error, "suggestion", "")
        else:
            messages.success(request, "Your brand was saved. Everybody sees it from now on.")
            return HttpResponseRedirect(reverse("partner_portal:brand"))
    return _page(request, settings, form, suggestion)


@requires(Audience.STAFF, "brand.manage")
@require_POST
def preview(request: ActorRequest) -> HttpResponse:
    return render(request, "partner_portal/_brand_preview.html", {"preview": build_preview(request.POST)})


@requires(Audience.STAFF, "brand.manage")
@require_safe
def preview_theme(request: ActorRequest) -> HttpResponse:
    """A sheet for the preview's box alone: the page around it keeps the saved brand."""
    primary, accent, radius = read_look(request.GET)
    css = theme_css(primary_color=primary, accent_color=accent, corner_radius=radius, selector=".brand-stage")
    return HttpResponse(css, content_type="text/css; charset=utf-8", headers={"Cache-Control": "private, max-age=600"})


@requires(Audience.STAFF, "brand.manage")
@require_POST
def reset(request: ActorRequest) -> HttpResponse:
    return answer(
        request, "brand",
        lambda: reset_brand(actor=request.actor, now=clock.now()),
        "Colors, corners and pictures are as they were at the beginning.",
    )  # fmt: skip


def _page(request: ActorRequest, settings: BrandSettings, form: BrandForm, suggestion: str) -> HttpResponse:
    shown: Mapping[str, Any] = request.POST if form.is_bound else form.initial  # type: ignore[assignment, unused-ignore]
    context = {
        "tabs": settings_tabs(request, "brand"),
        "form": form,
        "settings": settings,
        "suggestion": suggestion,
        "preview": build_preview(shown),
    }
    return render(request, "partner_portal/brand.html", context, status=422 if form.errors else 200)


def _save(request: ActorRequest, form: BrandForm) -> None:
    uploads = {slot: form.cleaned_data[slot].read() for slot in IMAGE_SLOTS if form.cleaned_data.get(slot)}
    removed = [slot for slot in IMAGE_SLOTS if request.POST.get(f"remove_{slot}")]
    change_brand(
        actor=request.actor, now=clock.now(), values=form.change(), uploads=uploads, removed=removed,
    )  # fmt: skip
