"""A broken row of a file, or a broken record of a webhook, in a full run: told at the desk, and the others go on."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path

import pytest

from apps.canonical.models import CanonicalRecord
from apps.connectors.registry import forget_custom
from apps.connectors.services import (
    create_connection,
    create_custom_connector,
    publish_connector,
    receive_delivery,
    take_file_over,
)
from apps.flows.models import IntegrationTemplate, IntegrationTemplateVersion
from apps.flows.services import deploy_integration
from apps.sync.models import RecordFailure, RunStatus
from tests.factories.uploads import connect_ledger, make_ledger, upload
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor

PUSH = Path("docs/examples/connectors/ticket-push.yaml").read_text(encoding="utf-8")
SECRET = "canary-push-secret-5f3a"  # noqa: S105 - of a system that does not exist


@pytest.fixture
def one_way(environment, owner_actor, now):
    """A flow that reads a custom system and writes into a fake one."""

    def deploy(domains: tuple[str, str], entities: list[str], **bindings):
        roles = {
            role: {"domain": domain, "label": role.title(), "help": ""}
            for role, domain in zip(("source", "target"), domains, strict=True)
        }
        flow = {
            "key": "across", "name": "Across", "description": "", "schedule_seconds": 300, "webhook_role": "",
            "reads": [{"role": "source", "entity": entity} for entity in entities],
            "rules": [{"on": entity, "write": {"role": "target"}} for entity in entities],
        }  # fmt: skip
        template = IntegrationTemplate.objects.create(key="one-way", name="One way")
        version = IntegrationTemplateVersion.objects.create(
            template=template, number="1.0.0",
            definition={
                "key": "one-way", "version": "1.0.0", "name": "One way", "summary": "", "documentation": "",
                "roles": roles, "flows": [flow],
            },
        )  # fmt: skip
        return flow_of(
            deploy_integration(
                actor=owner_actor, now=now, environment=environment, template_version=version, name="",
                bindings=bindings, settings={},
            )
        )  # fmt: skip

    return deploy


def failures() -> list[tuple[str, str, str, str]]:
    found = RecordFailure.objects.order_by("external_id")
    return list(found.values_list("external_id", "status", "error_class", "message"))


def test_a_broken_row_is_told_and_the_other_rows_go_on(one_way, systems, environment, owner_actor, now):
    make_ledger(owner_actor, now)
    ledger = connect_ledger(owner_actor, now, environment)
    flow = one_way(("erp", "crm"), ["account"], source=ledger, target=systems["crm"])
    take_file_over(actor=owner_actor, now=now, file=upload(owner_actor, now, ledger))

    run = run_flow(flow, now)

    assert (run.status, run.read_count, run.failed_count) == (RunStatus.PARTIAL, 3, 1)
    assert failures() == [
        ("C2", "open", "validation", "customers.csv, line 3: “x” in “Limit” is no number."),
    ]  # fmt: skip
    assert sorted(company["name"] for company in vendor("crm").all("companies")) == ["Initech", "Umbrella"]

    later = now + timedelta(days=1)
    mended = upload(owner_actor, later, ledger, "Number;Name;Limit\nC2;Hooli;3\nC1;Initech;1,5\n")
    take_file_over(actor=owner_actor, now=later, file=mended)
    written = vendor("crm").write_count
    run = run_flow(flow, later)

    assert (run.status, RecordFailure.objects.get().status) == (RunStatus.SUCCEEDED, "resolved")
    assert vendor("crm").write_count == written + 1
    assert CanonicalRecord.objects.filter(entity="account").count() == 3


def test_a_file_without_a_readable_row_does_not_stop_the_next(one_way, systems, environment, owner_actor, now):
    make_ledger(owner_actor, now)
    ledger = connect_ledger(owner_actor, now, environment)
    flow = one_way(("erp", "crm"), ["account"], source=ledger, target=systems["crm"])
    for name, text in (("customers-1.csv", "Number;Name;Limit\n;;\nC9;Broken;x\n"), ("customers-2.csv", "Number;Name;Limit\nC3;Umbrella;\n")):  # fmt: skip
        take_file_over(actor=owner_actor, now=now, file=upload(owner_actor, now, ledger, text, name))

    run = run_flow(flow, now)

    assert run.status == RunStatus.PARTIAL
    assert [company["name"] for company in vendor("crm").all("companies")] == ["Umbrella"]
    assert {message for *_, message in failures()} >= {"customers-1.csv, line 3: “x” in “Limit” is no number."}
    again = run_flow(flow, now + timedelta(minutes=1))
    assert again.status == RunStatus.SUCCEEDED
    assert [company["name"] for company in vendor("crm").all("companies")] == ["Umbrella"]


def push(desk, now, kind: str, event: str, **data) -> None:
    body = json.dumps({"event": event, "type": kind, "data": data}).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    receive_delivery(
        token=desk.webhook_token,
        headers={"x-desk-signature": signature},
        body=body,
        url="https://x.example/h/",
        now=now,
    )


def test_a_broken_pushed_record_is_told_and_the_others_go_on(one_way, systems, environment, owner_actor, now):
    connector = create_custom_connector(actor=owner_actor, now=now, source=PUSH)
    publish_connector(actor=owner_actor, now=now, connector=connector)
    forget_custom(connector.key)
    desk = create_connection(
        actor=owner_actor, now=now, environment=environment, vendor=connector.key, name="Desk", settings={},
        secrets={"webhook_secret": SECRET},
    )  # fmt: skip
    flow = one_way(("delivery", "erp"), ["account", "project"], source=desk, target=systems["erp"])
    push(desk, now, "companies", "e1", id="7", name="Vulcan", revision=1)
    push(desk, now, "projects", "e2", id="p1", title="Forge", company="7", changed_at="2026-11-02T08:00:00Z")
    push(desk, now, "projects", "e3", id="p2", title=5, company="7", changed_at="2026-11-02T08:00:00Z")
    push(desk, now, "projects", "e4", id="p3", title="Lost", company="404", changed_at="2026-11-02T08:00:00Z")

    run = run_flow(flow, now)

    assert (run.status, run.failed_count) == (RunStatus.PARTIAL, 2)
    assert [(number, status, kind) for number, status, kind, _ in failures()] == [
        ("p2", "open", "mapping"), ("p3", "open", "missing_reference"),
    ]  # fmt: skip
    assert [project["name"] for project in vendor("erp").all("projects")] == ["Forge"]

    later = now + timedelta(minutes=10)
    push(desk, later, "projects", "e5", id="p2", title="Five", company="7", changed_at="2026-11-02T09:00:00Z")
    push(desk, later, "companies", "e6", id="404", name="Anvil", revision=1)
    run = run_flow(flow, later)

    assert (run.status, {status for _, status, *_ in failures()}) == (RunStatus.SUCCEEDED, {"resolved"})
    assert sorted(project["name"] for project in vendor("erp").all("projects")) == ["Five", "Forge", "Lost"]
