from __future__ import annotations

from types import SimpleNamespace

from django.db.models import Q
from django.test import RequestFactory

from apps.ui import paging
from apps.ui.charts import build_bars, build_sparkline
from apps.ui.differences import color_json, compare
from apps.ui.filters import Filter, parse_filters, period
from apps.ui.htmx import is_partial, redirect, trigger
from apps.ui.nav import Navigation, NavItem, NavSection, mark_active
from apps.ui.tables import Column, build_table

REQUEST = RequestFactory()
STATE = Filter("state", "State", [("failed", "Failed"), ("done", "Done"), ("open", "Open")])


def test_cursor_survives_the_address():
    assert paging.decode_cursor(paging.encode_cursor([3, "b"], backwards=True)) == (True, [3, "b"])


def test_broken_cursor_is_the_first_page():
    assert paging.decode_cursor("%%%") is None
    assert paging.decode_cursor("bnVsbA") is None


def test_rows_after_a_cursor_use_every_column_in_its_direction():
    assert paging._after(("-at", "id"), ["x", 7]) == Q(at__lte="x") & (Q(at__lt="x") | (Q(at="x") & Q(id__gt=7)))


def test_filters_drop_unknown_values_and_keep_the_rest_of_the_address():
    state = parse_filters(
        REQUEST.get("/runs/?state=failed&state=nonsense&q= acme &cursor=abc&sort=-at"), [STATE, period()]
    )

    assert state.values == {"state": ("failed",), "period": ()}
    assert state.search == "acme"
    assert state.chips[0].text == "Failed"
    assert [option.chosen for option in state.chips[0].options] == [True, False, False]
    assert state.clear_url == "/runs/?sort=-at"
    assert state.is_filtered


def test_single_filter_replaces_its_value():
    state = parse_filters(REQUEST.get("/?period=7d"), [period(default="24h")])

    assert state.first("period") == "7d"
    assert [option.value for option in state.chips[0].options if option.chosen] == ["7d"]


def test_chip_shortens_many_values():
    state = parse_filters(REQUEST.get("/?state=failed&state=done&state=open"), [STATE])

    assert state.chips[0].text == "Failed +2"


def test_table_reads_paths_functions_and_currency():
    item = SimpleNamespace(pk=9, customer=SimpleNamespace(name="Acme"), amount=5, currency="EUR")
    columns = [
        Column("c", "Customer", value="customer.name", main=True),
        Column("amount", "Amount", "money"),
        Column("n", "N", value=lambda row: row.pk + 1),
        Column("missing", "M"),
    ]
    table = build_table([item], columns, caption="Rows", url=lambda row: f"/{row.pk}/")

    row = table.rows[0]
    assert (row.key, row.url, [cell.value for cell in row.cells]) == ("9", "/9/", ["Acme", 5, 10, None])
    assert row.cells[1].currency == "EUR"
    assert [column.css for column in columns] == ["cell-main", "end", "", ""]


def test_partial_is_neither_boosted_nor_restored():
    assert is_partial(REQUEST.get("/", headers={"HX-Request": "true"}))
    assert not is_partial(REQUEST.get("/"))
    assert not is_partial(REQUEST.get("/", headers={"HX-Request": "true", "HX-Boosted": "true"}))
    assert not is_partial(REQUEST.get("/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}))


def test_redirect_moves_the_whole_browser():
    assert redirect(REQUEST.get("/"), "/x/").headers["Location"] == "/x/"
    response = redirect(REQUEST.get("/", headers={"HX-Request": "true"}), "/x/")
    assert (response.status_code, response.headers["HX-Redirect"]) == (204, "/x/")


def test_triggers_add_up():
    response = redirect(REQUEST.get("/", headers={"HX-Request": "true"}), "/x/")
    trigger(trigger(response, "saved"), "count", {"n": 2})
    assert response.headers["HX-Trigger"] == '{"saved": {}, "count": {"n": 2}}'


def test_longest_prefix_is_the_active_entry():
    nav = Navigation((NavSection((NavItem("Home", "/manage/", "home"), NavItem("Runs", "/manage/runs/", "list"))),))

    assert [item.active for item in mark_active(nav, "/manage/runs/7/").sections[0].items] == [False, True]
    assert [item.active for item in mark_active(nav, "/elsewhere/").sections[0].items] == [False, False]


def test_sparkline_breaks_at_gaps():
    spark = build_sparkline([0, 10, None, 5], width=30, height=24)

    assert spark.line == "M0.0 22.0 L10.0 2.0 M30.0 12.0"
    assert spark.area == "M0.0 22.0 L10.0 2.0 L10.0 24 L0.0 24 Z M30.0 12.0 L30.0 24 L30.0 24 Z"


def test_bars_scale_to_the_largest():
    assert [(bar.value, bar.share) for bar in build_bars([("a", 3000), ("b", 1000)])] == [
        ("3,000", 100.0),
        ("1,000", 33.3),
    ]


def test_field_diff_is_by_path():
    changes = compare({"a": {"b": 1}, "gone": "x", "same": 1}, {"a": {"b": 2}, "same": 1, "new": None})

    assert [(c.field, c.before, c.after, c.kind) for c in changes] == [
        ("a.b", "1", "2", "changed"), ("new", "", "null", "added"), ("gone", "x", "", "removed"),
    ]  # fmt: skip


def test_json_is_escaped_and_colored():
    assert color_json('{"a": "<b>"}') == (
        '{<span class="tok-key">&quot;a&quot;</span>: <span class="tok-str">&quot;&lt;b&gt;&quot;</span>}'
    )
