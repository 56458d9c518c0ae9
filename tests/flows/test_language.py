"""The flow language: what starts a flow, older forms, and mistakes named by file, flow, rule and reason."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime

import msgspec
import pytest

from apps.flows.checks import SERVICES
from apps.flows.definition import InvalidDefinition, TriggerSpec, parse_flow, parse_template
from apps.flows.triggers import driving_role, first_due, in_words, is_cron, may_start, next_due, nominal_seconds
from apps.sync.business import INPUTS

BERLIN = "Europe/Berlin"
FLOW = {
    "key": "bills", "name": "Bills", "description": "Bills for projects.",
    "triggers": [{"every": 300}, {"webhook": "billing"}, {"manual": True}],
    "reads": [{"role": "billing", "entity": "invoice", "filter": 'record.status != "void"'}],
    "rules": [
        {
            "on": "invoice", "write": {"role": "billing"},
            "approve": {"key": "release", "question": "Release it?", "show": ["total", "lines"]},
        },
        {"on": "opportunity", "call": {"service": "provision_project", "inputs": {"opportunity": "record.name"}}},
        {"on": "invoice", "notify": {"key": "late", "to": ["finance"], "subject": '"Late"', "text": "today"}},
    ],
    "aggregate": [
        {
            "key": "expenses", "collect": "expense", "group_by": "project.account", "refs": {"account": "self"},
            "line": {"description": "record.description", "unit_price": "record.amount"},
        }
    ],
}  # fmt: skip
TEMPLATE = {
    "key": "bills", "version": "1.0.0", "name": "Bills", "summary": "", "documentation": "",
    "roles": {"billing": {"domain": "billing", "label": "Billing"}}, "flows": [FLOW],
}  # fmt: skip


def test_it_works():
    flow = parse_template(TEMPLATE).flows[0]

    assert (flow.schedule_seconds, flow.webhook_role) == (300, "billing")
    assert (
        flow.starts == "every 5 minutes, at once when the billing system tells of a change, when somebody asks for it"
    )
    assert flow.rules[0].approve.by == "partner"
    assert parse_flow(msgspec.to_builtins(flow)) == flow


def test_the_services_named_in_rules_are_those_there_are():
    assert {name: frozenset(given.__struct_fields__) for name, given in INPUTS.items()} == SERVICES


def test_an_older_definition_is_read_as_what_it_meant():
    older = {
        "key": "time", "name": "Time", "description": "", "schedule_seconds": 600, "webhook_role": "delivery",
        "reads": [{"role": "erp", "entity": "project"}, {"role": "delivery", "entity": "time_entry"}],
        "aggregate": [{"key": "approved-time", "group_by": "project"}],
    }  # fmt: skip
    flow = parse_flow(older)

    assert flow.triggers == [
        TriggerSpec(every=600), TriggerSpec(webhook="delivery"), TriggerSpec(webhook="erp"), TriggerSpec(manual=True),
        TriggerSpec(api=True),
    ]  # fmt: skip
    assert flow.aggregate[0].match == {"status": "approved", "billable": True}
    assert flow.aggregate[0].line.quantity == "hours(total.duration_seconds)"
    assert driving_role(older) == driving_role(msgspec.to_builtins(flow)) == "delivery"


def edit(path, value):
    def change(flow):
        *steps, last = path
        for step in steps:
            flow = flow[step]
        flow[last] = value

    return change


MISTAKES = [
    (edit(["reads", 0, "filter"], "record.status =="), "flow bills, read 1: filter: at character"),
    (edit(["triggers", 0], {"every": 5}), "flow bills, trigger 1: every is at least 60 seconds"),
    (edit(["triggers", 0], {"cron": "61 * * * *"}), "flow bills, trigger 1: '61 * * * *' is no cron expression"),
    (edit(["triggers", 0], {"cron": "0 0 31 2 *"}), "flow bills, trigger 1: '0 0 31 2 *' is no cron expression"),
    (edit(["triggers", 0], {"event": "invoice.lost"}), "flow bills, trigger 1: unknown event 'invoice.lost'"),
    (edit(["triggers", 0], {"every": 300, "manual": True}), "flow bills, trigger 1: a trigger is exactly one of"),
    (edit(["triggers", 1], {"webhook": "crm"}), "flow bills, trigger 2: unknown role 'crm'"),
    (edit(["triggers"], [{"webhook": "billing"}]), "flow bills: a webhook is backed by a schedule"),
    (edit(["rules", 0, "approve", "show"], ["color"]), "flow bills, rule 1 (on invoice): invoice has no field 'color'"),
    (edit(["rules", 0, "approve", "by"], "boss"), "flow bills, rule 1: Invalid enum value 'boss' (in approve.by)"),
    (edit(["rules", 1, "approve"], FLOW["rules"][0]["approve"]), "rule 2 (on opportunity): approve goes with a write"),
    (edit(["rules", 1, "call", "service"], "pay"), "rule 2 (on opportunity): there is no business service 'pay'"),
    (edit(["rules", 1, "call", "inputs"], {"size": "1"}), "rule 2 (on opportunity): provision_project takes no 'size'"),
    (edit(["rules", 2, "notify", "to"], ["boss"]), "rule 3 (on invoice): nobody has the role 'boss'"),
    (edit(["rules", 2, "notify", "key"], "release"), "flow bills: two steps are called 'release'"),
    (edit(["rules", 2, "whn"], "true"), "flow bills, rule 3: Object contains unknown field `whn`"),
    (edit(["rules", 2, "on"], "car"), "flow bills, rule 3 (on car): unknown entity 'car'"),
    (edit(["aggregate", 0, "group_by"], "invoice.boss"), "aggregate 1: group_by does not lead anywhere from expense"),
    (edit(["aggregate", 0, "mark"], "task"), "aggregate 1: 'task' does not refer to the invoice"),
    (edit(["aggregate", 0, "fields"], {"color": '"red"'}), "aggregate 1: invoice has no field 'color'"),
    (edit(["aggregate", 0, "line", "unit_price"], "shout(1)"), "aggregate 1: unit_price: unknown function 'shout'"),
]  # fmt: skip


@pytest.mark.parametrize("change, message", MISTAKES, ids=[message for _, message in MISTAKES])
def test_a_mistake_is_named_by_file_flow_rule_and_reason(change, message):
    data = copy.deepcopy(TEMPLATE)
    change(data["flows"][0])

    with pytest.raises(InvalidDefinition, match=f"^bills.yaml: .*{re.escape(message)}"):
        parse_template(data, file="bills.yaml")


@pytest.mark.parametrize(
    "cron, zone, now, expected",
    [
        ("0 6 * * 1-5", BERLIN, "2026-11-06T12:00", "2026-11-09T05:00"),  # Friday noon → Monday six, winter
        ("0 6 * * *", BERLIN, "2026-07-01T04:00", "2026-07-02T04:00"),  # exactly due now: the next one
        ("30 2 * * *", BERLIN, "2026-03-28T12:00", "2026-03-29T01:30"),  # half past two is skipped: half past three
        ("0 12 * * *", BERLIN, "2026-10-24T12:00", "2026-10-25T11:00"),  # noon stays noon when the clocks change
        ("15 9 1 * *", "America/New_York", "2026-11-30T20:00", "2026-12-01T14:15"),
        ("*/15 * * * *", "UTC", "2026-11-30T20:07", "2026-11-30T20:15"),
    ],
)
def test_a_cron_follows_the_customers_clock(cron, zone, now, expected):
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)

    due_at = next_due([TriggerSpec(cron=cron)], moment, zone)

    assert (due_at, due_at.tzinfo) == (datetime.fromisoformat(expected).replace(tzinfo=UTC), UTC)


def test_an_hour_that_comes_twice_is_worked_once():
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    first = next_due([TriggerSpec(cron="30 2 * * *")], before, BERLIN)
    second = next_due([TriggerSpec(cron="30 2 * * *")], first, BERLIN)

    assert (first.date().isoformat(), second.date().isoformat()) == ("2026-10-25", "2026-10-26")


def test_the_earliest_of_several_schedules_is_next():
    now = datetime(2026, 11, 6, 4, 58, tzinfo=UTC)
    triggers = [TriggerSpec(every=3600), TriggerSpec(cron="0 6 * * *")]

    assert next_due(triggers, now, BERLIN) == datetime(2026, 11, 6, 5, 0, tzinfo=UTC)
    assert next_due([TriggerSpec(event="opportunity.won")], now, BERLIN) is None


def test_a_flow_that_only_follows_the_calendar_waits_for_its_first_run():
    now = datetime(2026, 11, 6, 12, tzinfo=UTC)

    assert first_due([TriggerSpec(cron="0 6 1 * *")], now, "UTC") == datetime(2026, 12, 1, 6, tzinfo=UTC)
    assert first_due([TriggerSpec(cron="0 6 1 * *"), TriggerSpec(event="opportunity.won")], now, "UTC") == now
    assert first_due([TriggerSpec(manual=True)], now, "UTC") is None


def test_the_longest_gap_of_a_calendar_is_told():
    assert nominal_seconds([TriggerSpec(cron="0 6 * * 1-5")]) == 3 * 86400
    assert nominal_seconds([TriggerSpec(cron="0 6 * * *"), TriggerSpec(every=600)]) == 600
    assert nominal_seconds([TriggerSpec(event="opportunity.won")]) == 0


def test_triggers_in_words():
    triggers = [TriggerSpec(cron="0 6 * * *"), TriggerSpec(event="payment.received"), TriggerSpec(api=True)]

    assert in_words(triggers) == "by the calendar (0 6 * * *), when a payment arrives"
    assert in_words([TriggerSpec(webhook="crm")], {"crm": "the CRM"}) == "at once when the CRM tells of a change"


def test_only_what_is_listed_starts_a_flow():
    assert may_start([TriggerSpec(manual=True)], api=False)
    assert not may_start([TriggerSpec(manual=True)], api=True)


def test_what_is_no_cron():
    assert [is_cron(text) for text in ("* * * * *", "@daily", "* * * * * *", "", "0 0 30 2 *")] == [
        True, False, False, False, False,
    ]  # fmt: skip
