"""Who is who: matching over systems, edits from both sides, replays, and two flows over the same records."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.billing.models import UsageEvent
from apps.canonical.models import CanonicalChange, CanonicalLink, CanonicalRecord, CrossReference
from apps.connectors.models import Connection
from apps.connectors.sdk.types import SourceRecord
from apps.core.clock import moved_clock
from apps.core.ids import uuid7
from apps.customers.models import Environment
from apps.flows.binding import stream_of
from apps.flows.models import IntegrationTemplateVersion
from apps.flows.services import deploy_integration
from apps.sync.engine.claim import claim_run
from apps.sync.engine.context import build_context
from apps.sync.engine.mapping import stream_mapping
from apps.sync.engine.page import StreamReader
from apps.sync.models import RunStatus
from apps.sync.services.runs import queue_run
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import VENDORS, FakeStream, record, vendor
from tests.sync.test_crashes import Killed
from tests.sync.test_opportunity_to_project import seed_won_deal
from tests.sync.test_payment_status import deal, seed_chain
from tests.sync.test_time_to_invoice import seed_time


def accounts() -> list[str]:
    return sorted(CanonicalRecord.objects.filter(entity="account").values_list("title", flat=True))


CASES = [
    ("tax number", {"name": "Vulcan GmbH", "tax_id": "DE 12.3"}, {"name": "VULCAN", "tax_id": "DE123"}, 1),
    ("name and domain", {"name": "Vulcan", "domain": "v.example"}, {"name": "VULCAN ", "website": "https://www.v.example/"}, 1),
    ("name and e-mail", {"name": "Vulcan", "email": "a@v.example"}, {"name": "vulcan", "email": "A@v.example"}, 1),
    ("name alone", {"name": "Vulcan"}, {"name": "Vulcan"}, 2),
    ("number alone", {"name": "Vulcan", "number": "1"}, {"name": "Hephaistos", "number": "1"}, 2),
    ("two tax numbers", {"name": "V", "domain": "v.example", "tax_id": "DE1"}, {"name": "V", "domain": "v.example", "tax_id": "DE2"}, 2),
]  # fmt: skip


@pytest.mark.parametrize("case, ours, theirs, count", CASES)
def test_companies_are_matched_by_exact_keys_only(deploy, now, case, ours, theirs, count):
    vendor("erp").put("parties", "p1", **ours)
    vendor("crm").put("companies", "c1", **theirs)

    run_flow(flow_of(deploy("opportunity-to-project")), now)

    assert len(accounts()) == count


def test_two_candidates_match_nobody(deploy, now):
    vendor("erp").put("parties", "p1", name="Vulcan", email="a@v.example")
    vendor("erp").put("parties", "p2", name="Vulcan", email="a@v.example")
    vendor("crm").put("companies", "c1", name="Vulcan", email="a@v.example")

    run_flow(flow_of(deploy("opportunity-to-project")), now)

    assert accounts() == ["Vulcan"] * 3


def test_a_matched_company_is_not_made_again(deploy, now):
    seed_won_deal()
    vendor("erp").put("parties", "p1", name="Vulcan Industries", website="vulcan.example", phone="7")

    run_flow(flow_of(deploy("opportunity-to-project")), now)

    assert [party["id"] for party in vendor("erp").all("parties")] == ["p1"]
    assert vendor("erp").all("projects")[0]["party"] == "p1"
    found = CanonicalRecord.objects.get(title="Vulcan Industries")
    assert found.data == {
        "name": "Vulcan Industries", "website": "vulcan.example", "phone": "7", "domain": "vulcan.example",
    }  # fmt: skip


def test_an_edit_in_the_crm_reaches_the_erp_and_an_edit_there_survives(deploy, now):
    seed_won_deal()
    flow = flow_of(deploy("opportunity-to-project"))
    run_flow(flow, now)
    party = vendor("erp").all("parties")[0]["id"]

    vendor("erp").put("parties", party, email="desk@vulcan.example")
    vendor("crm").put("companies", "c1", name="Vulcan Group")
    run_flow(flow, now)

    held = vendor("erp").objects["parties"][party]
    assert (held["name"], held["email"]) == ("Vulcan Group", "desk@vulcan.example")
    written = vendor("erp").write_count
    run_flow(flow, now)
    assert vendor("erp").write_count == written


def test_an_edit_that_is_reverted_is_not_lost(deploy, now):
    seed_won_deal()
    flow = flow_of(deploy("opportunity-to-project"))
    run_flow(flow, now)
    party = vendor("erp").all("parties")[0]["id"]

    for name in ("Vulcan Group", "Vulcan Industries"):
        vendor("crm").put("companies", "c1", name=name)
        run_flow(flow, now)
        assert vendor("erp").objects["parties"][party]["name"] == name
    vendor("erp").put("parties", party, name="Renamed in the ERP")
    run_flow(flow, now)
    vendor("crm").put("companies", "c1", name="Vulcan Industries", phone="1")
    run_flow(flow, now)
    vendor("crm").put("companies", "c1", name="Vulcan Group")
    run_flow(flow, now)
    assert vendor("erp").objects["parties"][party]["name"] == "Vulcan Group"


def test_an_edit_beside_our_write_is_taken_over(deploy, now):
    seed_chain(deploy, now)
    flow = flow_of(deploy("payment-status"))
    original = FakeStream.read

    def edited_after_reading(self, *, checkpoint, page_size=100):
        yield from original(self, checkpoint=checkpoint, page_size=page_size)
        if self.kind == "deals":
            vendor("crm").put("deals", "d1", close_date="2026-12-24")

    FakeStream.read = edited_after_reading
    try:
        run_flow(flow, now)
    finally:
        FakeStream.read = original
    assert deal()["payment_status"] == "invoiced"

    run_flow(flow, now)
    assert CanonicalRecord.objects.get(entity="opportunity").data["close_date"] == "2026-12-24"


def test_a_second_flow_sees_what_the_first_one_read(deploy, now):
    """Its pages are unchanged for it: the change history brings them to its rules."""
    seed_chain(deploy, now)
    first, second = (flow_of(deploy("payment-status")) for _ in range(2))
    run_flow(first, now)
    assert deal()["payment_status"] == "invoiced"
    vendor("crm").put("deals", "d1", payment_status="none", invoice_number=None)

    run_flow(first, now)
    run_flow(second, now)

    bill = vendor("billing").all("bills")[0]
    vendor("billing").put(
        "bills", bill["id"], status="paid", amount_paid=bill["total"], amount_due={"amount": 0, "currency": "EUR"}
    )
    run_flow(second, now)
    assert deal()["payment_status"] == "paid"
    assert run_flow(first, now).status == RunStatus.SUCCEEDED


def test_an_integration_deployed_later_finds_what_is_there(deploy, now):
    seed_won_deal()
    run_flow(flow_of(deploy("payment-status")), now)  # reads companies and deals first
    assert CanonicalRecord.objects.filter(entity="opportunity").count() == 2

    run_flow(flow_of(deploy("opportunity-to-project")), now)

    assert [p["name"] for p in vendor("erp").all("projects")] == ["Forge rollout"]


def test_two_integrations_make_one_project(deploy, now):
    seed_won_deal()
    for _ in range(2):
        run_flow(flow_of(deploy("opportunity-to-project")), now)

    assert len(vendor("erp").all("projects")) == len(vendor("delivery").all("boards")) == 1


def test_what_another_flow_read_before_we_knew_its_id_is_one_record(deploy, now, monkeypatch):
    """The invoice is made and read by payment-status before time-to-invoice has its answer."""
    seed_time()
    invoicing, status = (
        flow_of(deploy("time-to-invoice", {"default_rate": "100.00"})),
        flow_of(deploy("payment-status")),
    )

    def die(point: str) -> None:
        if point == "vendor_called" and vendor("billing").all("bills"):
            raise Killed

    monkeypatch.setattr("apps.sync.engine.write.crash_here", die)
    with pytest.raises(Killed):
        run_flow(invoicing, now)
    monkeypatch.setattr("apps.sync.engine.write.crash_here", lambda point: None)
    run_flow(status, now)
    assert CanonicalRecord.objects.filter(entity="invoice").count() == 2

    assert run_flow(invoicing, now + timedelta(minutes=5)).status == RunStatus.SUCCEEDED

    invoice = CanonicalRecord.objects.get(entity="invoice")
    assert len(vendor("billing").all("bills")) == 1
    assert CanonicalLink.objects.filter(target=invoice, name="invoice").count() == 3
    assert CrossReference.objects.filter(record=invoice).count() == 1


def test_an_older_reading_never_wins(deploy, systems, now):
    seed_won_deal()
    flow = flow_of(deploy("opportunity-to-project"))
    old = record(vendor("crm").objects["companies"]["c1"])
    vendor("crm").put("companies", "c1", name="Newer name")
    run_flow(flow, now)

    take(flow, "crm", "account", [old], now)

    assert "Newer name" in accounts()
    assert "Vulcan Industries" not in accounts()


def take(flow, role: str, entity: str, records: list[SourceRecord], now) -> None:
    run = queue_run(flow=flow, trigger="manual", label="", now=now)
    context = build_context(flow, run, claim=claim_run(run.pk, now) or 0)
    system = context.systems[role]
    read = next(r for r in context.spec.reads if (r.role, r.entity) == (role, entity))
    mapping = stream_mapping(system.manifest, stream_of(system.manifest, read))
    with moved_clock(now):
        StreamReader(context, system, mapping).take(records, {"after": 0})
    run.status = RunStatus.SUCCEEDED
    run.save(update_fields=["status"])


def state_of_everything() -> tuple[object, ...]:
    return (
        sorted(CanonicalRecord.objects.values_list("entity", "title", "version", "number")),
        sorted(CrossReference.objects.values_list("object_name", "external_id", "last_seen_hash")),
        sorted(CanonicalLink.objects.values_list("source__title", "name", "target__title")),
        CanonicalChange.objects.count(),
    )


@given(
    names=st.lists(st.sampled_from(["Ann", "Bob", "Cleo", "Dan"]), min_size=1, max_size=8),
    replays=st.lists(st.integers(0, 3), max_size=6),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_replaying_any_page_changes_nothing(deploy, now, names, replays):
    VENDORS.clear()
    with transaction.atomic():
        flow = flow_of(deploy("opportunity-to-project"))
        seed_won_deal()
        for number, name in enumerate(names):
            vendor("crm").put(
                "people", f"x{number}", name=name, email=f"{name}@example.com", company=f"c{number % 2 + 1}"
            )
        pages = [
            ("account", [record(item) for item in vendor("crm").all("companies")]),
            ("contact", [record(item) for item in vendor("crm").all("people")][:3]),
            ("contact", [record(item) for item in vendor("crm").all("people")][3:]),
            ("opportunity", [record(item) for item in vendor("crm").all("deals")]),
        ]
        for entity, records in pages:
            take(flow, "crm", entity, records, now)
        before = state_of_everything()

        for number in replays:
            take(flow, "crm", *pages[number], now)

        assert state_of_everything() == before
        transaction.set_rollback(True)


def test_environments_of_one_customer_do_not_mix(environment, systems, deploy, owner_actor, now):
    seed_won_deal()
    run_flow(flow_of(deploy("opportunity-to-project")), now)
    other = Environment.objects.create(customer=environment.customer, kind="sandbox")
    twins = {role: clone(connection, other) for role, connection in systems.items()}
    integration = deploy_integration(
        actor=owner_actor, now=now, environment=other, name="", settings={}, bindings=twins,
        template_version=flow_of_template(),
    )  # fmt: skip

    run_flow(flow_of(integration), now)

    assert CanonicalRecord.objects.filter(title="Vulcan Industries").count() == 2
    assert sum(event.quantity for event in UsageEvent.objects.all()) == 4


def clone(connection: Connection, environment) -> Connection:
    connection = Connection.objects.get(pk=connection.pk)
    connection.pk, connection.environment, connection.webhook_token = uuid7(), environment, uuid7().hex
    connection.settings = {"account": f"{connection.settings['account']}-sandbox"}
    connection.save(force_insert=True)
    for kind, held in vendor("crm").objects.items():
        vendor("crm-sandbox").objects[kind] = {k: dict(v) for k, v in held.items()}
    return connection


def flow_of_template():
    return IntegrationTemplateVersion.objects.get(template__key="opportunity-to-project")


def test_what_was_deleted_before_we_saw_it_does_not_come_to_life(deploy, now):
    seed_chain(deploy, now)
    bill = vendor("billing").all("bills")[0]["id"]
    vendor("billing").put(
        "receipts", "r1", amount={"amount": 1, "currency": "EUR"}, paid_date="2026-11-01", bill=bill, deleted=True
    )

    run = run_flow(flow_of(deploy("payment-status")), now)

    assert run.status == RunStatus.SUCCEEDED
    assert CanonicalRecord.objects.filter(entity="payment").count() == 0


def test_a_tombstone_marks_the_reference_and_keeps_the_record(deploy, now):
    seed_won_deal()
    flow = flow_of(deploy("opportunity-to-project"))
    run_flow(flow, now)

    gone = SourceRecord(external_id="d2", data={"stage": "nothing left"}, deleted=True)
    take(flow, "crm", "opportunity", [gone], now)

    reference = CrossReference.objects.get(object_name="deals", external_id="d2")
    assert (reference.deleted_at, reference.record.title) == (now, "Maybe")
