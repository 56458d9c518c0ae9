"""The log searched: each filter finds exactly what it names, and never what somebody else owns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.canonical.models import CanonicalRecord
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotVisible
from apps.customers.models import Customer
from apps.flows.models import Flow
from apps.sync import explorer
from apps.sync.explorer import LogFilters, find_calls, find_records, find_runs, get_record_log, get_vendor_call
from apps.sync.models import RecordLog, VendorCall
from tests.factories.delivery import START, make_customer, make_flow, make_run
from tests.factories.logs import make_call, make_log


@pytest.fixture
def flow(partner: object) -> Flow:
    return make_flow(make_customer("Northwind"))


@pytest.fixture
def foreign(partner: object) -> Flow:
    return make_flow(make_customer("Globex Cheese"))


def of(customer: Customer) -> Actor:
    return Actor(ActorKind.API_KEY, "k", "Key", frozenset({"runs.view"}), scope=frozenset({customer.pk}))


@pytest.fixture
def logs(flow: Flow, foreign: Flow) -> dict[str, RecordLog]:
    return {
        "plain": make_log(flow),
        "invoice": make_log(flow, entity="invoice", title="Invoice 7", at=START + timedelta(hours=2)),
        "failed": make_log(
            flow, action="failed", error_class="validation", error="The e-mail address is not valid", external_id="d-77"
        ),
        "limited": make_log(flow, action="failed", error_class="rate_limit", error="Too many requests"),
        "foreign": make_log(foreign, action="failed", error_class="validation", error="The e-mail is not valid"),
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {"plain", "invoice", "failed", "limited", "foreign"}),
        ({"customers": "flow"}, {"plain", "invoice", "failed", "limited"}),
        ({"integrations": "flow"}, {"plain", "invoice", "failed", "limited"}),
        ({"flows": "foreign"}, {"foreign"}),
        ({"entities": ("invoice",)}, {"invoice"}),
        ({"actions": ("failed",)}, {"failed", "limited", "foreign"}),
        ({"error_classes": ("rate_limit",)}, {"limited"}),
        ({"error_classes": ("validation", "rate_limit"), "customers": "flow"}, {"failed", "limited"}),
        ({"text": "not valid"}, {"failed", "foreign"}),
        ({"text": "address val"}, {"failed"}),
        ({"text": "d-77"}, {"failed"}),
        ({"text": "many", "customers": "foreign"}, set()),
        ({"text": "too' | 'many"}, {"limited"}),
        ({"since": (START + timedelta(hours=1)).isoformat()}, {"invoice"}),
        ({"until": (START + timedelta(hours=1)).isoformat(), "entities": ("invoice",)}, set()),
    ],
)
@pytest.mark.parametrize("bounded", [True, False])
def test_a_filter_finds_what_it_names(
    logs: dict[str, RecordLog], flow: Flow, foreign: Flow, owner_actor: Actor, asked: dict[str, Any], found: set[str],
    bounded: bool,
) -> None:  # fmt: skip
    flows = {"flow": flow, "foreign": foreign}
    ids = {"customers": "customer_id", "integrations": "integration_id", "flows": "pk"}
    filled = {name: (str(getattr(flows[value], ids[name])),) if name in ids else value for name, value in asked.items()}

    rows = find_records(owner_actor, LogFilters(**filled), bounded=bounded)

    assert {name for name, log in logs.items() if log.pk in set(rows.values_list("pk", flat=True))} == found
    assert rows.count() == len(found)


def test_a_record_is_found_by_its_id_and_its_run(logs: dict[str, RecordLog], flow: Flow, owner_actor: Actor) -> None:
    run = str(logs["plain"].run_id)

    assert list(find_records(owner_actor, LogFilters(text=run))) == [logs["plain"]]
    assert list(find_records(owner_actor, LogFilters(text=f"run_{logs['plain'].run_id.hex}"))) == [logs["plain"]]
    assert list(find_records(owner_actor, LogFilters(run=run))) == [logs["plain"]]


def test_a_customer_sees_only_its_own(logs: dict[str, RecordLog], flow: Flow, foreign: Flow) -> None:
    theirs = of(foreign.customer)

    assert list(find_records(theirs, LogFilters())) == [logs["foreign"]]
    assert list(find_records(theirs, LogFilters(text="valid"))) == [logs["foreign"]]
    assert not find_records(theirs, LogFilters(customers=(str(flow.customer_id),))).exists()
    assert not find_records(theirs, LogFilters(flows=(str(flow.pk),))).exists()
    with pytest.raises(NotVisible):
        get_record_log(theirs, logs["plain"].pk)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {"ok", "refused", "limited", "broken", "silent"}),
        ({"states": ("ok",)}, {"ok"}),
        ({"states": ("refused",)}, {"refused"}),
        ({"states": ("limited", "broken")}, {"limited", "broken"}),
        ({"states": ("silent",)}, {"silent"}),
        ({"text": "timed out"}, {"silent"}),
        ({"text": "contacts"}, {"refused"}),
    ],
)
def test_calls_are_found_by_their_answer(
    flow: Flow, owner_actor: Actor, asked: dict[str, Any], found: set[str]
) -> None:
    calls: dict[str, VendorCall] = {
        "ok": make_call(flow),
        "refused": make_call(flow, status=404, path="/contacts/9"),
        "limited": make_call(flow, status=429),
        "broken": make_call(flow, status=503),
        "silent": make_call(flow, status=None, error="The call timed out"),
    }

    rows = set(find_calls(owner_actor, LogFilters(**asked)).values_list("pk", flat=True))

    assert {name for name, call in calls.items() if call.pk in rows} == found


def test_a_call_of_somebody_else_is_not_there(flow: Flow, foreign: Flow) -> None:
    call = make_call(flow)

    with pytest.raises(NotVisible):
        get_vendor_call(of(foreign.customer), call.pk)
    assert get_vendor_call(of(flow.customer), call.pk) == call


def test_runs_are_found_by_state_and_time(flow: Flow, owner_actor: Actor) -> None:
    failed = make_run(flow, status="failed", error_message="Tryton was away", error_class="vendor_down")
    make_run(flow, at=START - timedelta(days=3))

    assert list(find_runs(owner_actor, LogFilters(states=("failed",)))) == [failed]
    assert list(find_runs(owner_actor, LogFilters(since=START.isoformat()))) == [failed]
    assert list(find_runs(owner_actor, LogFilters(text="tryton was"))) == [failed]
    assert list(find_runs(owner_actor, LogFilters(error_classes=("vendor_down",)))) == [failed]


def test_filters_survive_being_stored() -> None:
    asked = LogFilters(customers=("a", "b"), text="x", since=START.isoformat())

    assert LogFilters.from_json(asked.as_json()) == asked
    assert LogFilters.from_json({"gone": 1}) == LogFilters()


@pytest.mark.parametrize("text", ["not valid", "address val", "d-77", "too many", "valid e-mail"])
def test_what_is_found_among_the_newest_is_what_is_found_in_all(
    logs: dict[str, RecordLog], owner_actor: Actor, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    whole = set(find_records(owner_actor, LogFilters(text=text), bounded=False))
    monkeypatch.setattr(explorer, "WINDOW", 1)

    assert whole
    assert set(find_records(owner_actor, LogFilters(text=text))) == whole


def test_of_named_records_the_newest_facts_are_found_far_back(
    flow: Flow, foreign: Flow, owner_actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [
        CanonicalRecord.objects.create(
            customer=flow.customer, environment=flow.environment, entity="project", title=f"Harbor {number}",
            created_at=START, changed_at=START,
        )
        for number in range(2)
    ]  # fmt: skip
    own = [make_log(flow, record_id=named[number % 2].pk) for number in range(9)]
    for _ in range(3):
        make_log(foreign)
    monkeypatch.setattr(explorer, "WINDOW", 2)
    monkeypatch.setattr(explorer, "MOST_MATCHES", 3)

    found = find_records(owner_actor, LogFilters(text="harbor")).order_by("-id")

    assert list(found) == [own[8], own[7], own[6]]
    assert list(find_records(of(foreign.customer), LogFilters(text="harbor"))) == []


def test_the_newest_matches_are_enough_for_a_page(
    flow: Flow, owner_actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(flow)
    calls = [make_call(flow, run=run, status=500, error=f"Internal error {n}") for n in range(6)]
    monkeypatch.setattr(explorer, "WINDOW", 3)
    monkeypatch.setattr(explorer, "MOST_MATCHES", 2)

    found = find_calls(owner_actor, LogFilters(text="internal error")).order_by("-id")

    assert list(found) == [calls[5], calls[4]]
