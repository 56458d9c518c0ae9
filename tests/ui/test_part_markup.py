"""What pages repeat by the dozen: exact markup, and nothing of a stored text becomes markup."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from apps.core import clock
from apps.ui import markup, part_markup
from apps.ui.charts import HeatCell
from apps.ui.filters import Filter, parse_filters
from apps.ui.links import address_of, link_to, link_to_number
from apps.ui.nav import Navigation, NavItem, NavSection
from apps.ui.status import Status, Tone
from apps.ui.viewer import current_locale, current_zone, one_viewer

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HOSTILE = '<img src=x onerror="a">'
SOME = UUID("0192f3a0-0000-7000-8000-000000000001")


def _icon(name: str) -> str:
    return f'<svg class="icon" aria-hidden="true"><use href="/static/dist/icons.svg#{name}"/></svg>'


def test_the_navigation_says_where_one_is_and_what_waits():
    items = (
        NavItem("Home", "/manage/", "home", active=True),
        NavItem("Errors", "/manage/errors/", "bug", badge="999+", badge_label="open", badge_tone="failing"),
    )

    drawn = part_markup.nav_sections(Navigation((NavSection(items[:1]), NavSection(items[1:], "Work"))), "drawer")

    assert drawn == (
        '<div class="nav-section"><ul class="nav-list"><li><a class="nav-row" href="/manage/" aria-current="page">'
        f"{_icon('home')}<span>Home</span></a></li></ul></div>\n"
        '<div class="nav-section"><div class="nav-section-label" id="nav-drawer-2">Work</div>'
        '<ul class="nav-list" aria-labelledby="nav-drawer-2"><li><a class="nav-row" href="/manage/errors/">'
        f'{_icon("bug")}<span>Errors</span><span class="nav-badge num tone-failing">999+'
        '<span class="visually-hidden"> open</span></span></a></li></ul></div>'
    )


def test_a_filter_offers_its_choices():
    filters = parse_filters(
        RequestFactory().get("/?state=a"), [Filter("state", "State", [("a", "One"), ("b", "Two")], single=True)]
    )

    assert part_markup.filter_chips(filters) == (
        '<div class="dropdown"><button class="chip is-set" type="button" data-bs-toggle="dropdown" '
        'data-bs-auto-close="outside" aria-expanded="false" data-chip="State"><span>State</span><strong>One</strong>'
        '</button><div class="dropdown-menu filter-menu" role="group" aria-label="State">'
        '<label class="dropdown-item"><input class="form-check-input" type="radio" name="state" value="a" checked>'
        '<span>One</span></label><label class="dropdown-item"><input class="form-check-input" type="radio" name="state" '
        'value="b"><span>Two</span></label></div></div>'
    )


def test_amounts_of_a_row():
    assert part_markup.money_cells([("Not due", 120_00), ("Late", 0)], "EUR") == (
        '<td class="end" data-label="Not due"><span class="num">€120.00</span></td>'
        '<td class="end" data-label="Late"><span class="empty-value">–</span></td>'
    )


def test_a_timeline_takes_objects_and_mappings():
    entry = {"title": "Paused", "at": NOW, "body": "for a week", "actor": "Olive", "url": "/x/"}

    with clock.moved_clock(NOW):
        drawn = part_markup.timeline_entries([entry, SimpleNamespace(title="Added", at=NOW)])
        moment = markup.datetime_tag(NOW)

    assert drawn.split("</li>")[0] == (
        f'<li class="tone-idle"><span class="timeline-mark">{_icon("point")}</span><div><div class="timeline-title">'
        f'<span><a href="/x/">Paused</a></span>{moment}</div>'
        '<div class="timeline-body">for a week · Olive</div></div>'
    )
    assert "<span>Added</span>" in drawn.split("</li>")[1]
    assert "timeline-body" not in drawn.split("</li>")[1]


def test_a_history_leads_to_its_cause_and_tells_what_changed():
    change = {"title": "Changed", "at": NOW, "tone": "info", "icon": "pencil", "is_canonical": True}
    caused = SimpleNamespace(**change, actor="Run 7", url="/runs/7/", before={"name": "a"}, after={"name": "b"})
    alone = SimpleNamespace(**change, actor="", url="/runs/7/", before={}, after={})

    with clock.moved_clock(NOW):
        drawn = part_markup.history_entries([caused, alone])
        moment = markup.datetime_tag(NOW)

    start = (
        f'<li class="tone-info"><span class="timeline-mark">{_icon("pencil")}</span><div><div class="timeline-title">'
        f"<span>Changed</span>{moment}</div>"
    )
    told = part_markup.field_diff({"name": "a"}, {"name": "b"}, named=True)
    who = '<div class="timeline-body"><a href="/runs/7/">Run 7</a></div>'
    assert drawn == f"{start}{who}{told}</div></li>{start}</div></li>"


@pytest.mark.parametrize(
    "kind", ["strip", "chips", "nav", "timeline", "history", "spark", "diff", "named", "panel", "cells", "badge"]
)
def test_stored_texts_never_become_markup(kind):
    item = NavItem(HOSTILE, HOSTILE, HOSTILE, badge=HOSTILE, badge_label=HOSTILE, badge_tone=HOSTILE)
    chosen = Filter(HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)], icon=HOSTILE, default=HOSTILE)
    entry = {"title": HOSTILE, "at": NOW, "body": HOSTILE, "actor": HOSTILE, "url": HOSTILE, "tone": HOSTILE}
    history = SimpleNamespace(**entry, icon=HOSTILE, before={HOSTILE: HOSTILE}, after={}, is_canonical=True)
    drawn = {
        "strip": lambda: part_markup.heat_strip([HeatCell(*[HOSTILE] * 4), HeatCell(HOSTILE, "", "", HOSTILE)], label=HOSTILE),
        "chips": lambda: part_markup.filter_chips(parse_filters(RequestFactory().get("/"), [chosen])),
        "nav": lambda: part_markup.nav_sections(Navigation((NavSection((item,), HOSTILE),)), HOSTILE),
        "timeline": lambda: part_markup.timeline_entries([entry]),
        "history": lambda: part_markup.history_entries([history]),
        "spark": lambda: part_markup.sparkline([1, 2], label=HOSTILE, tone=HOSTILE, size=HOSTILE),
        "diff": lambda: part_markup.field_diff({HOSTILE: HOSTILE}, {HOSTILE: "b"}, unchanged=True),
        "named": lambda: part_markup.field_diff({HOSTILE: HOSTILE}, {HOSTILE: "b"}, named=True),
        "panel": lambda: part_markup.panel(HOSTILE, HOSTILE, subtitle=HOSTILE, css=HOSTILE, id=HOSTILE),
        "cells": lambda: part_markup.money_cells([(HOSTILE, 1)], "EUR"),
        "badge": lambda: markup.status_badge(Status(HOSTILE, Tone.OK, HOSTILE), title=HOSTILE),
    }[kind]()  # fmt: skip

    assert "<img" not in drawn
    assert 'onerror="' not in drawn


def test_links_are_the_routes_own():
    assert link_to("partner_portal:run")(SOME) == reverse("partner_portal:run", args=[SOME])
    assert link_to("partner_portal:error_group")("a1b2") == reverse("partner_portal:error_group", args=["a1b2"])
    assert link_to_number("partner_portal:log_record")(7) == reverse("partner_portal:log_record", args=[7])
    assert address_of("partner_portal:runs") == reverse("partner_portal:runs")


def test_a_list_is_read_in_one_zone_and_language():
    with timezone.override(ZoneInfo("Europe/Berlin")), one_viewer(), timezone.override(ZoneInfo("Asia/Tokyo")):
        within = current_zone()
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        after = current_zone()

    assert (str(within), str(after), current_locale()) == ("Europe/Berlin", "Asia/Tokyo", "en")
