"""Between which systems a flow is drawn."""

from __future__ import annotations

from apps.flows.lines import lines_of


def flow(reads: list[str], writes: list[str], listens_to: str = "") -> dict[str, object]:
    return {
        "reads": [{"role": role} for role in reads],
        "rules": [{"write": {"role": role}} for role in writes],
        "triggers": [{"webhook": listens_to}] if listens_to else [],
    }


def test_from_the_system_listened_to_to_each_written() -> None:
    assert lines_of(flow(["erp", "crm"], ["erp", "delivery", "erp"], "crm")) == [("crm", "erp"), ("crm", "delivery")]


def test_both_ways_where_the_system_listened_to_is_written_too() -> None:
    assert lines_of(flow(["erp", "crm"], ["erp", "crm"], "crm")) == [("crm", "erp"), ("erp", "crm")]


def test_what_is_read_last_leads_where_nobody_is_listened_to() -> None:
    assert lines_of(flow(["erp", "delivery"], ["erp"])) == [("delivery", "erp")]


def test_nothing_is_drawn_of_a_flow_that_is_not_written_yet() -> None:
    assert lines_of({}) == []
