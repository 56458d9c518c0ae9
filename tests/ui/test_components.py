from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory

from apps.core import clock, correlation
from apps.core.money import Money
from apps.ui import nav, styleguide, views
from apps.ui.context_processors import UiContext
from apps.ui.paging import Page

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def _render(source: str, **context: object) -> str:
    with clock.moved_clock(NOW):
        return Template(source).render(Context(context))


def test_status_is_icon_and_word():
    assert _render('{% status_badge "failed" %}') == (
        '<span class="state tone-failing"><svg class="icon" aria-hidden="true"><use href="/static/dist/icons.svg#alert-circle"/>'
        "</svg>Failed</span>"
    )


def test_money_tag():
    assert _render("{% money value %}", value=Money(184_250, "EUR")) == '<span class="num">€1,842.50</span>'
    assert _render("{% money None %}") == '<span class="empty-value" aria-label="none">–</span>'


def test_the_time_of_a_day_that_stands_above():
    assert _render("{% time_of_day at %}", at=datetime(2026, 11, 2, 8, 58, tzinfo=UTC)) == (
        '<time datetime="2026-11-02T08:58:00+00:00" title="2 Nov 2026, 08:58:00 UTC">08:58</time>'
    )


def test_datetime_is_relative_with_the_exact_time():
    assert _render("{% datetime at %}", at=datetime(2026, 11, 2, 8, 58, tzinfo=UTC)) == (
        '<time datetime="2026-11-02T08:58:00+00:00" title="2 Nov 2026, 08:58:00 UTC" data-relative>2 min ago</time>'
    )


def test_datetime_reads_stored_text_and_shows_old_moments_as_dates():
    assert ">2 Jan 2026</time>" in _render("{% datetime at %}", at="2026-01-02T08:58:00Z")


@pytest.mark.parametrize(
    "value,good,tone", [(2, "up", "ok"), (-2, "up", "failing"), (-2, "down", "ok"), (0, "up", "idle")]
)
def test_delta_tone_depends_on_what_is_good(value, good, tone):
    assert f'class="delta tone-{tone}"' in _render("{% delta value good=good %}", value=value, good=good)


def test_values_are_escaped():
    hostile = '<img src=x onerror="a">'
    for source in (
        "{% status_badge v %}",
        "{% copy_id v %}",
        "{% avatar v %}",
        "{% code_block v %}",
        "{% field_diff before v2 %}",
    ):
        assert "<img" not in _render(source, v=hostile, before={"a": hostile}, v2={"a": "b"})


def test_panel_wraps_its_content():
    html = _render('{% panel "Facts" subtitle="Now" %}<b>{{ x }}</b>{% endpanel %}', x="<")

    assert "<h2>Facts</h2><p>Now</p>" in html
    assert '<div class="panel-body"><b>&lt;</b></div>' in html


def test_panel_actions_see_the_page():
    html = _render(
        '{% panel "Form" actions="components/error_summary.html" %}x{% endpanel %}', form=styleguide.SampleForm({})
    )

    assert '<div class="panel-actions"><div class="error-summary"' in html


def test_pagination_links_keep_the_swap_target():
    html = render_to_string(
        "components/pagination.html", {"page": Page([1], next_url="/?cursor=x"), "target_id": "runs", "total": 3418}
    )

    assert 'rel="next" href="/?cursor=x" hx-get="/?cursor=x" hx-target="#runs"' in html
    assert 'rel="prev"' not in html
    assert '<span class="num">3,418</span> rows' in html


def test_form_ties_errors_and_help_to_the_control():
    form = styleguide.SampleForm({"name": "", "region": "eu", "address": "", "color": "#000000"})
    html = render_to_string("components/form.html", {"form": form})

    assert "One thing needs correcting" in html
    assert '<a href="#id_name">Connection name</a>: This field is required.' in html
    assert 'aria-describedby="id_name-help id_name-error" aria-invalid="true"' in html


def test_style_guide_shows_every_component_without_inline_code():
    request = RequestFactory().get("/_styleguide")
    request.ui_audience = "ui-test"
    nav.register("ui-test", styleguide.build_frame)
    html = views.show_styleguide(request).content.decode()

    assert not re.search(r'\s(style|on\w+)="', html)
    assert not re.search(r"<script(?![^>]*src=)", html)
    assert html.count("<h1") == 1
    assert html.count('aria-current="page"') == 3  # the entry in sidebar and drawer, and the tab
    assert 'class="map-pill tone-failing"' in html


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_error_pages_quote_the_request_and_name_no_platform(status):
    identifier = correlation.begin("abcdef0123456789")
    view = {
        400: views.bad_request,
        403: views.permission_denied,
        404: views.page_not_found,
        500: views.server_error,
        503: views.unavailable,
    }
    response = view[status](RequestFactory().get("/nowhere"))
    html = response.content.decode()

    assert response.status_code == status
    assert identifier in html
    assert f"Error {status}" in html
    assert "interlace" not in html.lower()


@pytest.mark.parametrize(
    "cookie,theme,follows",
    [("dark", "dark", False), ("light", "light", False), ('"><script>', "light", True), ("", "light", True)],
)
def test_theme_comes_from_the_cookie(cookie, theme, follows):
    request = RequestFactory().get("/")
    request.COOKIES["theme"] = cookie

    assert (UiContext(request).theme, UiContext(request).follows_system) == (theme, follows)


def test_public_pages_set_no_token_cookie():
    request = RequestFactory().get("/")
    request.user = SimpleNamespace(is_authenticated=False)

    assert UiContext(request).csrf_token == ""
    assert "CSRF_COOKIE" not in request.META
