"""Sample data for the style guide: every component once, with facts as a customer would see them."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpRequest

from apps.core import clock
from apps.core.money import Money
from apps.ui.forms import CheckedForm

from . import charts, nav
from .filters import Filter, Sorting, parse_filters, period
from .status import Status, Tone
from .system_map import MapFlow, MapSystem, SystemMap, build_system_map
from .tables import Column, Table, build_table

_RUNS = (
    ("Northwind Advisory", "Time to invoice", "succeeded", 1_284, 0, 4.2, 184_250, 3),
    ("Brightwater Legal", "Won deals to projects", "running", 412, 0, 61.0, 92_000, 1),
    ("Keller & Partner", "Payment status", "failed", 96, 14, 12.4, 1_204_075, 22),
    ("Osprey Engineering", "Time to invoice", "partial", 2_051, 3, 8.1, 640_000, 47),
    ("Halcyon Studio", "Accounts and contacts", "paused", 0, 0, 0.0, 0, 1_600),
)


class SampleForm(CheckedForm):
    name = forms.CharField(label="Connection name", help_text="Your colleagues see this name; the customer does not.")
    region = forms.ChoiceField(label="Data center", choices=[("eu", "Europe"), ("us", "United States")])
    address = forms.URLField(label="Base address", required=False, assume_scheme="https")
    color = forms.CharField(label="Primary color", widget=forms.TextInput(attrs={"type": "color"}), initial="#3a50d9")
    live = forms.BooleanField(
        label="Start at once", required=False, help_text="The first run begins when this is saved."
    )


def build_context(request: HttpRequest) -> dict[str, Any]:
    now = clock.now()
    return {
        "tiles": _tiles(),
        "map": sample_map(now),
        "small_map": _small_map(now),
        "table": _table(now),
        "filters": parse_filters(request, _filters(), search_placeholder="Filter runs", exports=("csv", "json")),
        "tabs": _tabs(),
        "needs": _needs(),
        "timeline": _timeline(now),
        "steps": _steps(),
        "cells": [charts.HeatCell(f"Customer {n + 1}", _tone(n)) for n in range(48)],
        "chart": _chart(),
        "bars": charts.build_bars(
            [("Time to invoice", 18_220), ("Won deals to projects", 7_410), ("Payment status", 3_306)]
        ),
        "form": SampleForm({"name": "", "region": "eu", "address": "not an address", "color": "#3a50d9"}),
        "clean_form": SampleForm(),
        "before": {
            "stage": "proposal",
            "amount": {"amount": 1_840_000, "currency": "EUR"},
            "owner_email": "mk@keller.example",
        },
        "after": {"stage": "won", "amount": {"amount": 1_920_000, "currency": "EUR"}, "close_date": "2026-11-20"},
        "states": [Status(tone.value.capitalize(), tone, tone.icon) for tone in Tone],
        "crumbs": [("Customers", "#"), ("Northwind Advisory", "#")],
        "facts": [("Owner", "Maria Keller"), ("Plan", "Growth"), ("Region", "Frankfurt"), ("Tax id", None)],
        "payload": {
            "id": "INV-1043",
            "status": "open",
            "total": 184250,
            "lines": [{"quantity": "14", "billable": True}],
        },
        "money": Money(184_250, "EUR"),
    }


def _tone(index: int) -> str:
    return {5: "failing", 17: "attention", 18: "attention", 30: "idle", 41: "attention"}.get(index, "ok")


def _tiles() -> list[dict[str, Any]]:
    wave = [40, 52, 48, 61, 58, 72, 69, 81, 77, 90, 96, 92]
    return [
        {
            "label": "Records kept in step",
            "period": "today",
            "value": "18,204",
            "change": 6.4,
            "change_unit": "%",
            "versus": "vs Monday",
            "trend": wave,
        },
        {
            "label": "Success ratio",
            "period": "this month",
            "value": "99.94",
            "unit": "%",
            "change": 0.2,
            "change_unit": "pt",
            "versus": "target 99.5 %",
        },
        {
            "label": "Open errors",
            "period": "now",
            "value": "17",
            "change": -9,
            "good": "down",
            "versus": "vs yesterday",
        },
        {
            "label": "Monthly revenue",
            "period": "November",
            "value": "€24,180",
            "change": 3.1,
            "change_unit": "%",
            "versus": "vs October",
        },
    ]


def sample_map(now: datetime) -> SystemMap:
    """Four systems and five flows, one of them failing and one moving."""
    systems = [
        MapSystem("crm", "HubSpot", "crm", "active", "Sales pipeline", "#"),
        MapSystem("erp", "Tryton", "erp", "active", "ERP · Frankfurt", "#"),
        MapSystem("psa", "Redmine", "delivery", "active", "Projects and time", "#"),
        MapSystem("bill", "Xero", "billing", "degraded", "Invoicing", "#"),
    ]
    flows = [
        MapFlow("crm", "erp", "Won deals", "ok", now - timedelta(minutes=2), "#", live=True),
        MapFlow("erp", "psa", "Projects", "ok", now - timedelta(minutes=4), "#"),
        MapFlow("psa", "erp", "Approved time", "ok", now - timedelta(minutes=11), "#", live=True),
        MapFlow("erp", "bill", "Invoices", "failing", now - timedelta(hours=3), "#"),
        MapFlow("bill", "crm", "Payment status", "attention", now - timedelta(minutes=48), "#"),
    ]
    return build_system_map(systems, flows, title="Systems and flows of Northwind Advisory", now=now)


def _small_map(now: datetime) -> SystemMap:
    systems = [
        MapSystem("psa", "Redmine", "delivery", "ok", "Projects and time"),
        MapSystem("bill", "Xero", "billing", "ok", "Invoicing"),
    ]
    flows = [
        MapFlow("psa", "bill", "Time becomes invoices", "ok", now - timedelta(minutes=6)),
        MapFlow("bill", "psa", "Payments", "idle"),
    ]
    return build_system_map(systems, flows, title="Time to invoice", now=now)


def _table(now: datetime) -> Table:
    rows = [
        SimpleNamespace(
            id=f"0192f3a1-77b2-7c11-8d90-00000000{index:04d}", customer=customer, flow=flow, status=status, records=records,
            failed=failed, took=took, amount=amount, currency="EUR", started_at=now - timedelta(minutes=minutes),
        )
        for index, (customer, flow, status, records, failed, took, amount, minutes) in enumerate(_RUNS)
    ]  # fmt: skip
    columns = (
        Column("customer", "Customer", main=True, sortable=True),
        Column("flow", "Flow", clip=True),
        Column("status", "State", "status"),
        Column("records", "Records", "number", sortable=True),
        Column("failed", "Failed", "number"),
        Column("amount", "Invoiced", "money"),
        Column("took", "Took", "duration", wide_only=True),
        Column("started_at", "Started", "datetime", shrink=True),
        Column("id", "Id", "id", wide_only=True),
    )
    return build_table(
        rows, columns, caption="Runs", url=lambda row: "#", selectable=True, total=3_418, noun="runs",
        sorting=Sorting("-records", {"customer": "?sort=customer", "records": "?sort=records"}),
    )  # fmt: skip


def _filters() -> tuple[Filter, ...]:
    states = [("succeeded", "Succeeded"), ("running", "Running"), ("failed", "Failed"), ("paused", "Paused")]
    return (
        Filter("state", "State", states),
        Filter("flow", "Flow", [("a", "Time to invoice"), ("b", "Payment status")]),
        period(),
    )


def _tabs() -> list[dict[str, Any]]:
    names = (
        ("Overview", None),
        ("Connections", 4),
        ("Integrations", 3),
        ("Errors", 17),
        ("SLA", None),
        ("Billing", None),
        ("Activity", None),
    )
    return [
        {"label": name, "url": "#", "active": index == 0, "count": count, "tone": "failing" if name == "Errors" else ""}
        for index, (name, count) in enumerate(names)
    ]


def _needs() -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            title="Xero at Keller & Partner needs signing in again",
            text="14 invoices wait; the oldest for 3 h",
            tone="failing",
            url="#",
            action_label="Send link",
        ),
        SimpleNamespace(
            title="Approve the change to Osprey's rate card",
            text="Asked for by Jonas Brandt",
            tone="attention",
            url="#",
            action_label="Review",
        ),
        SimpleNamespace(
            title="Are “Halcyon Studio” and “Halcyon Studios Ltd” the same?",
            text="Score 0.86 · same domain",
            tone="info",
            url="#",
            action_label="Compare",
        ),
    ]


def _timeline(now: datetime) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            title="Invoice INV-1043 created in Xero from 14 approved time entries",
            at=now - timedelta(minutes=3),
            body="€1,842.50",
            actor="Time to invoice",
            tone="ok",
            icon="file-invoice",
            url="#",
        ),
        SimpleNamespace(
            title="Project “Claims platform” opened",
            at=now - timedelta(hours=2),
            body="From a won deal in HubSpot",
            actor="",
            tone="ok",
            icon="briefcase",
            url="",
        ),
        SimpleNamespace(
            title="Mapping version 4 published",
            at=now - timedelta(days=1),
            body="",
            actor="Maria Keller",
            tone="idle",
            icon="git-branch",
            url="",
        ),
    ]


def _steps() -> list[SimpleNamespace]:
    names = ("Template", "Connections", "Settings", "Dry run", "Schedule", "Go live")
    return [
        SimpleNamespace(label=name, state="done" if i < 2 else "current" if i == 2 else "todo", url="#")
        for i, name in enumerate(names)
    ]


def _chart() -> charts.Chart:
    days = [f"{day} Nov" for day in range(1, 15)]
    ratio = [99.9, 99.8, 99.95, 99.9, 99.4, 99.1, 99.7, 99.9, 99.92, 99.97, 99.9, 99.88, 99.95, 99.94]
    return charts.Chart(
        "Success ratio",
        days,
        [charts.Series("Success ratio", ratio, "area")],
        unit="%",
        target=99.5,
        minimum=99,
        maximum=100,
    )


def build_frame(request: HttpRequest) -> nav.Frame:
    """The partner portal's navigation, for the style guide alone."""
    item = nav.NavItem
    return nav.Frame(
        nav=nav.Navigation((
            nav.NavSection((
                item("Home", request.path, "home", exact=True), item("Customers", "/customers/", "users"),
                item("Integrations", "/i/", "route"), item("Runs", "/r/", "player-play"),
                item("Error desk", "/e/", "bug", badge=17, badge_tone="failing", badge_label="open errors"),
            )),
            nav.NavSection((
                item("Monitoring", "/m/", "activity-heartbeat"), item("SLA", "/s/", "target"),
                item("Billing", "/b/", "receipt"), item("Support", "/u/", "lifebuoy", badge=2),
            ), "Operate"),
            nav.NavSection((item("Catalogue", "/c/", "apps"), item("Insights", "/n/", "chart-bar"), item("Settings", "/t/", "settings")), "Grow"),
        )),
        user=nav.UserMenu("Maria Keller", "maria@brightpath.example", "Integration engineer", (nav.MenuLink("Profile", "#", "user"),)),
        switches=(nav.Switch("Environment", "Production", (nav.SwitchOption("Production", "#", active=True), nav.SwitchOption("Sandbox", "#")), "server"),),
        palette_url="/manage/palette",
    )  # fmt: skip
