from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apps.ui.status import Tone
from apps.ui.system_map import CARD_HEIGHT, CARD_WIDTH, MapFlow, MapSystem, build_system_map

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
CRM = MapSystem("crm", "HubSpot", "crm")
ERP = MapSystem("erp", "Tryton", "erp")
PSA = MapSystem("psa", "Redmine", "delivery")
BILL = MapSystem("bill", "Xero", "billing")


def _map(systems, flows):
    return build_system_map(systems, flows, title="Acme", now=NOW)


def test_a_label_wider_than_its_card_stays_inside_the_picture() -> None:
    systems = [
        MapSystem("crm", "HubSpot", "crm"), MapSystem("erp", "Tryton", "erp"), MapSystem("team", "Redmine", "delivery"),
        MapSystem("books", "Xero", "billing"),
    ]  # fmt: skip
    flows = [MapFlow("team", "books", "Approved time to new invoices", fresh_at=NOW)]

    drawn = build_system_map(systems, flows, title="Four systems", now=NOW)

    line = drawn.lines[0]
    assert line.pill_width > 208
    assert line.pill_x + line.pill_width == drawn.width - 2


def test_two_systems_stand_side_by_side():
    drawn = _map([BILL, PSA], [MapFlow("psa", "bill", "Time")])

    assert [card.system.key for card in drawn.cards] == ["psa", "bill"]
    assert [card.y for card in drawn.cards] == [2, 2]
    first, second = drawn.cards
    middle = 2 + CARD_HEIGHT // 2
    assert drawn.lines[0].path.startswith(f"M{first.x + CARD_WIDTH} {middle} C")
    assert drawn.lines[0].path.endswith(f"{second.x} {middle}")
    assert drawn.lines[0].arrow == f"M{second.x - 7} {middle - 4} L{second.x - 1} {middle} L{second.x - 7} {middle + 4}"


def test_four_systems_take_three_columns():
    drawn = _map([CRM, ERP, PSA, BILL], [MapFlow("crm", "erp", "Deals")])

    columns = {card.system.key: card.x for card in drawn.cards}
    assert columns["crm"] < columns["erp"] < columns["psa"] == columns["bill"]
    assert drawn.width == max(columns.values()) + CARD_WIDTH + 2


def test_line_that_skips_a_column_takes_a_lane_below_every_card():
    drawn = _map([CRM, ERP, PSA, BILL], [MapFlow("bill", "crm", "Payments")])

    floor = max(card.y + card.height for card in drawn.cards)
    assert drawn.lines[0].pill_y > floor - 13
    assert drawn.height == floor + 38 + 2


def test_opposite_flows_do_not_share_a_port():
    drawn = _map([CRM, ERP], [MapFlow("crm", "erp", "Deals"), MapFlow("erp", "crm", "Payments")])

    starts = [line.pill_y for line in drawn.lines]
    assert starts[1] - starts[0] == 34


def test_unknown_systems_and_loops_are_left_out():
    drawn = _map([CRM, ERP], [MapFlow("crm", "gone", "A"), MapFlow("crm", "crm", "B"), MapFlow("crm", "erp", "C")])

    assert [line.flow.label for line in drawn.lines] == ["C"]


def test_freshness_and_worst_state():
    flows = [MapFlow("crm", "erp", "Deals", "ok", NOW - timedelta(minutes=2)), MapFlow("erp", "crm", "Paid", "failed")]
    drawn = _map([CRM, ERP], flows)

    assert [line.fresh for line in drawn.lines] == ["2 min", ""]
    assert drawn.worst is Tone.FAILING


def test_long_names_are_cut():
    drawn = _map([MapSystem("a", "A system with a very long name", "crm")], [])

    assert drawn.cards[0].name == "A system with a v…"
    assert drawn.height == CARD_HEIGHT + 4
