"""A customer's old interfaces: the inventory with its wave plan, one interface, its checklist, cut-over and way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.customers.models import Customer
from apps.customers.selectors import get_customer
from apps.modernization.models import InterfaceStatus, LegacyInterface
from apps.modernization.planning import check_plan
from apps.modernization.readiness import Check, checks_of, unmet
from apps.modernization.selectors import (
    by_wave,
    get_interface,
    get_point,
    list_interfaces,
    list_parallel_runs,
    list_waves,
    read_needs,
    replacements_for,
    with_open_counts,
)
from apps.modernization.services import (
    OVERRIDE,
    add_interface,
    add_point,
    change_interface,
    cut_over,
    draft_of,
    is_replacement_shared,
    remove_interface,
    remove_point,
    retire_interface,
    roll_back,
    tick_point,
    why_not_retired,
)
from apps.partner_portal.actions import perform, submit, tell_refusal
from apps.partner_portal.customer_page import customer_crumbs, render_tab
from apps.partner_portal.forms.modernization import InterfaceForm, PointForm, ReasonForm, RollBackForm
from apps.partner_portal.lists.modernization import (
    INTERFACES,
    RUNS,
    interface_filters,
    interface_status,
    interface_url,
    narrow_interfaces,
    run_url,
)
from apps.partner_portal.selectors.modernization import list_acts
from apps.ui import htmx
from apps.ui.paging import page_queryset
from apps.ui.tables import build_table

TAB = "customer_modernization"
LISTED_RUNS = 10


@require_GET
@requires(Audience.STAFF, "integrations.view")
def show_inventory(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    waves = list(list_waves(request.actor).filter(customer=customer))
    own = list_interfaces(request.actor).filter(customer=customer)
    filters = interface_filters(request, waves)
    found = narrow_interfaces(own, filters)
    page: Any = page_queryset(found, request, order=("name", "id"))
    table = build_table(
        page.items, INTERFACES, caption="Interfaces", noun="interfaces", total=found.count(), url=interface_url
    )
    context: dict[str, Any] = {"filters": filters, "page": page, "table": table, "may_manage": _may_manage(request)}
    if not htmx.is_partial(request):
        interfaces = list(own)
        notes = check_plan(waves, interfaces, read_needs(interfaces), clock.local_date(clock.now(), customer.time_zone))
        context |= {"waves": by_wave(waves, interfaces), "notes": notes, "has_any": bool(interfaces or waves)}
    return render_tab(request, customer, TAB, context, partial="_interface_rows.html")


def _may_manage(request: ActorRequest) -> bool:
    return request.actor.can("integrations.manage")


def _form(request: ActorRequest, customer: Customer, interface: LegacyInterface | None = None) -> InterfaceForm:
    others = list_interfaces(request.actor).filter(customer=customer)
    if interface is not None:
        others = others.exclude(pk=interface.pk)
    initial = InterfaceForm.initial_of(draft_of(interface)) if interface else None
    return InterfaceForm(
        request.POST or None, waves=list(list_waves(request.actor).filter(customer=customer)),
        integrations=list(replacements_for(customer)), others=list(others), initial=initial,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def add(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    form = _form(request, customer)
    if request.method == "POST":
        made = submit(
            form,
            lambda data: add_interface(
                actor=request.actor, now=clock.now(), customer=customer, draft=form.draft(data)
            ),
        )  # fmt: skip
        if made is not None:
            return htmx.redirect(request, interface_url(made))
    context = {"form": form, "customer": customer, "crumbs": customer_crumbs(customer, TAB)}
    return render(request, "partner_portal/legacy_interface_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def edit(request: ActorRequest, legacy_interface_id: UUID) -> HttpResponse:
    interface = get_interface(request.actor, legacy_interface_id)
    form = _form(request, interface.customer, interface)
    if request.method == "POST":
        changed = submit(
            form,
            lambda data: change_interface(
                actor=request.actor, now=clock.now(), interface=interface, draft=form.draft(data), seen=data["seen"]
            ),
        )  # fmt: skip
        if changed is not None:
            return htmx.redirect(request, interface_url(changed))
    context = {"form": form, "interface": interface, "customer": interface.customer, "crumbs": crumbs_of(interface)}
    return render(request, "partner_portal/legacy_interface_edit.html", context, status=422 if form.errors else 200)


def crumbs_of(interface: LegacyInterface, *, below: bool = True) -> list[tuple[str, str]]:
    """The way to a page below the interface's, or to its own."""
    through = [(interface.name, interface_url(interface))] if below else []
    return [*customer_crumbs(interface.customer, TAB), *through]


@require_GET
@requires(Audience.STAFF, "integrations.view")
def show(request: ActorRequest, legacy_interface_id: UUID) -> HttpResponse:
    interface, now = get_interface(request.actor, legacy_interface_id), clock.now()
    prefetch_related_objects([interface], "points", "depends_on")
    runs = list(with_open_counts(list_parallel_runs(request.actor).filter(interface=interface))[:LISTED_RUNS])
    table = build_table(runs, RUNS, caption="Comparisons", noun="comparisons", url=run_url)
    checks = checks_of(interface, now) if not interface.is_gone else []
    points = sorted(interface.points.all(), key=lambda point: point.pk)
    context = {
        "interface": interface, "status": interface_status(interface), "table": table, "points": points,
        "checks": [check for check in checks if not check.key.startswith("point:")], "left": unmet(checks),
        "needs": sorted(interface.depends_on.all(), key=str), "entries": list_acts(interface),
        "needed_by": list(interface.needed_by.order_by("name", "id")), "crumbs": crumbs_of(interface, below=False),
        "may_manage": _may_manage(request), "may_override": request.actor.can(OVERRIDE),
        **_steps(request, interface, checks),
    }  # fmt: skip
    return render(request, "partner_portal/legacy_interface.html", context)


def _steps(request: ActorRequest, interface: LegacyInterface, checks: list[Check]) -> dict[str, Any]:
    """The forms of what can be done next."""
    if not _may_manage(request):
        return {}
    found: dict[str, Any] = {"point_form": PointForm() if interface.status != InterfaceStatus.RETIRED else None}
    if interface.status == InterfaceStatus.CUT_OVER:
        shared = is_replacement_shared(interface)
        found |= {
            "roll_back_form": RollBackForm(is_shared=shared, auto_id="back_%s"),
            "waiting": why_not_retired(interface, clock.now()),
        }
    elif interface.status != InterfaceStatus.RETIRED and unmet(checks):
        found["override_form"] = ReasonForm(auto_id="override_%s")
    return found


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def remove(request: ActorRequest, legacy_interface_id: UUID) -> HttpResponse:
    interface = get_interface(request.actor, legacy_interface_id)
    return perform(
        request,
        lambda: remove_interface(actor=request.actor, now=clock.now(), interface=interface),
        done=f"{interface} is removed.",
        next_url=reverse(f"partner_portal:{TAB}", args=[interface.customer_id]),
    )


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def step(request: ActorRequest, legacy_interface_id: UUID, cut_over_step: str) -> HttpResponse:
    interface = get_interface(request.actor, legacy_interface_id)
    own: dict[str, Any] = {"actor": request.actor, "now": clock.now(), "interface": interface}
    reason = request.POST.get("reason", "")
    steps: dict[str, tuple[Callable[[], object], str]] = {
        "cut-over": (lambda: cut_over(**own, reason=reason), f"{interface} is cut over."),
        "roll-back": (
            lambda: roll_back(**own, reason=reason, leaves_running="leaves_running" in request.POST),
            f"{interface} is in use again.",
        ),
        "retire": (lambda: retire_interface(**own), f"{interface} is retired."),
    }
    if cut_over_step not in steps:
        raise Http404
    act, done = steps[cut_over_step]
    return perform(request, act, done=done, next_url=interface_url(interface))


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def new_point(request: ActorRequest, legacy_interface_id: UUID) -> HttpResponse:
    interface, form = get_interface(request.actor, legacy_interface_id), PointForm(request.POST)
    made = submit(
        form,
        lambda data: add_point(actor=request.actor, now=clock.now(), interface=interface, text=data["text"]),
    )
    if made is None:
        _tell(request, form)
    return htmx.redirect(request, f"{interface_url(interface)}#checklist")


def _tell(request: ActorRequest, form: forms.Form) -> None:
    for name, errors in list(form.errors.items()):
        if name != "__all__":
            form.add_error(None, list(errors))
    tell_refusal(request, form)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def change_point(request: ActorRequest, point_id: UUID, point_change: str) -> HttpResponse:
    point = get_point(request.actor, point_id)
    own: dict[str, Any] = {"actor": request.actor, "now": clock.now(), "point": point}
    acts: dict[str, Callable[[], object]] = {
        "tick": lambda: tick_point(**own),
        "untick": lambda: tick_point(**own, is_done=False),
        "remove": lambda: remove_point(**own),
    }
    if point_change not in acts:
        raise Http404
    return perform(request, acts[point_change], done="", next_url=f"{interface_url(point.interface)}#checklist")
