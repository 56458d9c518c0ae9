"""Edits on both sides: every policy, and convergence whatever the order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.canonical.models import CanonicalChange, CanonicalRecord, CrossReference, FieldQuestion
from apps.canonical.services.values import UnableToDecide, decide_value
from apps.flows.models import FieldPolicy
from apps.sync.models import RunStatus
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import VENDORS, vendor

SIDES = {"crm": "companies", "erp": "parties"}
SHARED = ("name", "email", "domain", "phone")


def edit(role: str, object_id: str, **fields) -> None:
    """As a user would, by one clock for both systems."""
    latest = max(vendor(name).sequence for name in SIDES)
    vendor(role).sequence = latest
    vendor(role).put(SIDES[role], object_id, **fields)


def held(role: str) -> list[dict]:
    return [{n: item[n] for n in SHARED if item.get(n)} for item in vendor(role).all(SIDES[role])]


def in_order(role: str) -> list[dict]:
    return sorted(held(role), key=str)


def writes() -> int:
    return vendor("crm").write_count + vendor("erp").write_count


@pytest.fixture
def flow(deploy):
    return flow_of(deploy("two-way-accounts"))


@pytest.fixture
def pair(flow, now):
    """One company, known to both as c1 and the ERP's first party; returns that party's id."""
    edit("crm", "c1", name="Vulcan", domain="vulcan.example", phone="1")
    assert run_flow(flow, now).status == RunStatus.SUCCEEDED
    return vendor("erp").all("parties")[0]["id"]


def decide_by(flow, policy: str, role: str = "", now=None, field: str = "phone") -> None:
    FieldPolicy.objects.create(
        integration=flow.integration, entity="account", field=field, policy=policy, role=role, changed_at=now
    )


def clash(party: str) -> None:
    edit("erp", party, phone="2", email="desk@vulcan.example")
    edit("crm", "c1", phone="3")


def phones(party: str) -> tuple[str, str]:
    return vendor("crm").objects["companies"]["c1"]["phone"], vendor("erp").objects["parties"][party]["phone"]


def test_it_works(flow, pair, now):
    """Each side's new companies reach the other, and edits too; a pass without edits writes nothing."""
    edit("erp", "p9", name="Forge", domain="forge.example")
    edit("erp", pair, phone="7")
    run_flow(flow, now + timedelta(minutes=1))

    assert in_order("crm") == in_order("erp")
    assert [company["phone"] for company in held("crm") if company["name"] == "Vulcan"] == ["7"]
    before = writes()
    for minutes in (2, 3):
        assert run_flow(flow, now + timedelta(minutes=minutes)).status == RunStatus.SUCCEEDED
    assert writes() == before


def test_contacts_are_left_out_where_a_system_keeps_none(flow, pair, now):
    vendor("crm").put("people", "h1", name="Vera", email="vera@vulcan.example", company="c1")

    assert run_flow(flow, now + timedelta(minutes=1)).status == RunStatus.SUCCEEDED
    assert CanonicalRecord.objects.get(entity="contact").title == "Vera"


CASES = [
    ("the later edit wins", "latest_wins", "", ("3", "3")),
    ("the first value stands", "fill_if_empty", "", ("1", "1")),
    ("the ERP is right", "system_of_record", "erp", ("2", "2")),
    ("the CRM is right", "system_of_record", "crm", ("3", "3")),
    ("a person is asked", "ask", "", ("3", "2")),
]


@pytest.mark.parametrize("case, policy, role, expected", CASES)
def test_each_policy_has_its_way_and_blocks_no_other_field(flow, pair, now, case, policy, role, expected):
    decide_by(flow, policy, role, now)
    clash(pair)

    for minutes in (1, 2):
        run_flow(flow, now + timedelta(minutes=minutes))

    assert phones(pair) == expected
    assert vendor("crm").objects["companies"]["c1"]["email"] == "desk@vulcan.example"
    before = writes()
    run_flow(flow, now + timedelta(minutes=3))
    assert writes() == before


def test_the_earlier_edit_loses_although_it_is_read_last(flow, pair, now):
    edit("crm", "c1", phone="3")
    edit("erp", pair, phone="2")

    run_flow(flow, now + timedelta(minutes=1))

    assert phones(pair) == ("2", "2")
    change = CanonicalChange.objects.filter(fields__has_key="phone").latest("id")
    assert (change.connection.name, change.fields["phone"]) == ("ERP", ["1", "2"])


def test_a_page_of_conflicts_asks_the_history_once(flow, now):
    for number in range(4):
        edit("crm", f"c{number}", name=f"Vulcan {number}", domain=f"v{number}.example", phone="1")
    run_flow(flow, now)
    for number, party in enumerate(vendor("erp").all("parties")):
        edit("erp", party["id"], phone="2", email=f"desk{number}@vulcan.example")
        edit("crm", f"c{number}", phone="3")

    with CaptureQueriesContext(connection) as queries:
        run_flow(flow, now + timedelta(minutes=1))

    assert sum("jsonb_object_keys" in query["sql"] for query in queries) == 1
    assert {company["phone"] for company in held("crm")} == {"3"}


def test_nobody_else_edits_what_the_system_of_record_leads(flow, pair, now):
    decide_by(flow, "system_of_record", "erp", now)
    edit("crm", "c1", phone="3")

    run_flow(flow, now + timedelta(minutes=1))

    assert phones(pair) == ("1", "1")


@pytest.mark.parametrize("answer, expected", [("ours", ("2", "2")), ("theirs", ("3", "3"))])
def test_a_persons_answer_reaches_both(flow, pair, now, owner_actor, answer, expected):
    decide_by(flow, "ask", "", now)
    clash(pair)
    run_flow(flow, now + timedelta(minutes=1))
    question = FieldQuestion.objects.get()
    assert (question.field, question.ours, question.theirs, question.connection.name) == ("phone", "2", "3", "CRM")

    decide_value(actor=owner_actor, now=now, question=question, answer=answer)
    run_flow(flow, now + timedelta(minutes=2))

    assert phones(pair) == expected
    with pytest.raises(UnableToDecide):
        decide_value(actor=owner_actor, now=now, question=question, answer="ours")


def test_a_question_that_settled_itself_is_closed(flow, pair, now):
    decide_by(flow, "ask", "", now)
    clash(pair)
    run_flow(flow, now + timedelta(minutes=1))
    edit("crm", "c1", phone="2")

    run_flow(flow, now + timedelta(minutes=2))

    assert FieldQuestion.objects.get().answer == "agreed"


def test_two_that_knew_the_company_differently_agree_at_once(flow, now):
    edit("erp", "p1", name="Vulcan", domain="vulcan.example", phone="1", email="a@vulcan.example")
    edit("crm", "c1", name="Vulcan", domain="vulcan.example", phone="2")

    run_flow(flow, now)

    assert in_order("crm") == in_order("erp") == [
        {"name": "Vulcan", "domain": "vulcan.example", "phone": "2", "email": "a@vulcan.example"}
    ]  # fmt: skip


def test_projects_both_ways(deploy, now):
    vendor("erp").put("parties", "p1", name="Vulcan", domain="vulcan.example")
    vendor("erp").put("projects", "j1", name="Forge", status="open", party="p1")
    flow = flow_of(deploy("two-way-projects"))
    run_flow(flow, now)
    board = vendor("delivery").all("boards")[0]["id"]

    vendor("delivery").put("boards", board, name="Forge II", status="closed")
    run_flow(flow, now + timedelta(minutes=1))

    project, board_now = vendor("erp").objects["projects"]["j1"], vendor("delivery").objects["boards"][board]
    assert (project["name"], project["status"], project["party"]) == ("Forge II", "open", "p1")
    assert (board_now["name"], board_now["status"]) == ("Forge II", "open")


COMPANIES = ("Anvil", "Bellows", "Crucible")
OPERATIONS = st.one_of(
    st.just(("sync",)),
    st.tuples(st.just("make"), st.sampled_from(sorted(SIDES)), st.integers(0, 2)),
    st.tuples(
        st.just("edit"), st.sampled_from(sorted(SIDES)), st.integers(0, 2), st.sampled_from(["phone", "email"]),
        st.sampled_from(["1", "2", "3", None]),
    ),
    st.tuples(st.just("answer"), st.sampled_from(["ours", "theirs"])),
)  # fmt: skip
POLICIES = st.sampled_from(["latest_wins", "fill_if_empty", "ask", *sorted(SIDES)])


@given(
    operations=st.lists(OPERATIONS, max_size=14), policies=st.fixed_dictionaries({"phone": POLICIES, "email": POLICIES}),
    answers=st.lists(st.sampled_from(["ours", "theirs"]), min_size=1, max_size=3),
)  # fmt: skip
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_interleaving_converges_without_echo_or_duplicate(deploy, now, owner_actor, operations, policies, answers):
    VENDORS.clear()
    with transaction.atomic():
        flow = flow_of(deploy("two-way-accounts"))
        for field, policy in policies.items():
            leads = policy in SIDES
            decide_by(flow, "system_of_record" if leads else policy, policy if leads else "", now, field)
        made = {_perform(operation, flow, now, owner_actor) for operation in operations} - {None}
        for _ in range(2):
            assert run_flow(flow, now).status == RunStatus.SUCCEEDED
        _answer_all(flow, now, owner_actor, answers)

        assert in_order("crm") == in_order("erp")
        assert sorted(company["name"] for company in held("crm")) == sorted(made)
        before = writes()
        run_flow(flow, now)
        assert writes() == before
        assert CanonicalRecord.objects.count() == len(made)
        assert CrossReference.objects.count() == 2 * len(made)
        transaction.set_rollback(True)


def _answer_all(flow, now, actor, answers) -> None:
    """Whatever a person says, no question leads to another."""
    for number, question in enumerate(FieldQuestion.objects.filter(answered_at=None).order_by("asked_at", "id")):
        decide_value(actor=actor, now=now, question=question, answer=answers[number % len(answers)])
    for _ in range(2):
        assert run_flow(flow, now).status == RunStatus.SUCCEEDED
    assert FieldQuestion.objects.filter(answered_at=None).count() == 0


def _perform(operation, flow, now, actor) -> str | None:
    """The name of the company that exists afterwards, if the operation made one."""
    if operation[0] == "sync":
        run_flow(flow, now)
        return None
    if operation[0] == "answer":
        question = FieldQuestion.objects.filter(answered_at=None).first()
        if question is not None:
            decide_value(actor=actor, now=now, question=question, answer=operation[1])
        return None
    side, number = operation[1], operation[2]
    name = COMPANIES[number]
    found = next((i["id"] for i in vendor(side).all(SIDES[side]) if i["name"] == name), None)
    if operation[0] == "make":
        edit(side, found or f"{side}{number}", name=name, domain=f"{name.lower()}.example")
        return name
    if found:
        edit(side, found, **{operation[3]: operation[4]})
    return None
