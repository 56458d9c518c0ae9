"""Exports of the log: exact, watched, stopped, gone in time, and only for those who may see what is in them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.core.files.storage import default_storage

from apps.accounts.access import api_key_actor
from apps.accounts.models import StaffMembership, User
from apps.accounts.services import create_api_key
from apps.core.actor import Actor, ActorKind, system_actor
from apps.core.errors import NotVisible
from apps.core.ids import encode_id, uuid7
from apps.dispatch.models import WorkItem
from apps.flows.models import Flow
from apps.sync.explorer import LogFilters
from apps.sync.models import ExportStatus, LogExport
from apps.sync.services import cancel_export, expire_export, exports, get_export, make_export, open_export, start_export
from apps.sync.services.exports import UnableToCancelExport, UnableToExport
from tests.factories.askers import owner, owner_actor
from tests.factories.delivery import make_connection, make_customer, make_flow, make_run
from tests.factories.logs import make_call, make_log

__all__ = ["owner", "owner_actor"]


@pytest.fixture
def flow(partner: object) -> Flow:
    return make_flow(make_customer("Northwind"))


def ask(actor: Actor, now: datetime, kind: str = "records", format: str = "jsonl", **filters: object) -> LogExport:
    return start_export(actor=actor, now=now, kind=kind, format=format, asked=LogFilters(**filters))  # type: ignore[arg-type]


def made(export: LogExport, now: datetime) -> LogExport:
    make_export(export_id=export.pk, now=lambda: now)
    export.refresh_from_db()
    return export


def text_of(actor: Actor, export: LogExport) -> str:
    with open_export(actor, export) as file:
        return file.read().decode()


def of(flow: Flow) -> Actor:
    """A key of the flow's customer."""
    made = {"name": "Key", "scopes": ["runs.view"], "customer_id": flow.customer_id}
    key, _ = create_api_key(actor=system_actor(), now=flow.created_at, **made)
    return api_key_actor(key)


def test_it_works(flow: Flow, owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "BATCH", 2)
    run = make_run(flow)
    logs = [make_log(flow, at=now, run=run, title=f"Project {n}", diff={"name": ["a", str(n)]}) for n in range(5)]
    make_log(flow, at=now, run=run, entity="invoice")

    export = ask(owner_actor, now + timedelta(seconds=1), entities=("project",))
    assert WorkItem.objects.get(kind="logs.export").key == str(export.pk)
    export = made(export, now + timedelta(seconds=9))

    lines = [json.loads(line) for line in text_of(owner_actor, export).splitlines()]
    assert [line["title"] for line in lines] == [f"Project {n}" for n in (4, 3, 2, 1, 0)]
    assert lines[0]["changes"] == {"name": ["a", "4"]}
    assert (lines[0]["id"], lines[0]["customer"]) == (logs[4].pk, encode_id("cus", flow.customer_id))
    assert (export.status, export.total, export.done_count) == (ExportStatus.READY, 5, 5)
    assert export.byte_count == len(text_of(owner_actor, export).encode())
    assert export.file_name == f"p_acme/exports/{export.pk}.jsonl"
    assert not WorkItem.objects.filter(kind="logs.export").exists()


def test_a_table_has_a_line_for_each_entry(flow: Flow, owner_actor: Actor, now: datetime) -> None:
    run = make_run(flow, error_message="a, b", read_count=3)
    make_call(flow, at=now, run=run, status=503, error='said "no"')

    calls = made(ask(owner_actor, now + timedelta(seconds=1), kind="calls", format="csv"), now)
    runs = made(ask(owner_actor, now + timedelta(seconds=1), kind="runs", format="csv"), now)

    (call,) = csv.DictReader(io.StringIO(text_of(owner_actor, calls)))
    assert (call["status"], call["error"], call["run"]) == ("503", 'said "no"', encode_id("run", run.pk))
    (told,) = csv.DictReader(io.StringIO(text_of(owner_actor, runs)))
    assert (told["error"], told["read_count"], told["customer_name"]) == ("a, b", "3", "Northwind")


def test_runs_are_those_of_the_chosen_systems_records_and_actions(
    flow: Flow, owner_actor: Actor, now: datetime
) -> None:
    crm, erp = make_connection(flow.customer), make_connection(flow.customer)
    bound = [make_flow(flow.customer, connections=[system]) for system in (crm, erp)]
    runs = [make_run(one) for one in bound]
    make_log(bound[0], run=runs[0], entity="project", action="created")
    make_log(bound[1], run=runs[1], entity="invoice", action="failed")

    def told(**filters: object) -> list[str]:
        export = made(ask(owner_actor, now, kind="runs", **filters), now)
        return [json.loads(line)["id"] for line in text_of(owner_actor, export).splitlines()]

    first, second = (encode_id("run", run.pk) for run in runs)
    assert told(connections=(str(crm.pk),)) == [first]
    assert told(connections=(str(erp.pk), str(crm.pk))) == [second, first]
    assert told(entities=("invoice", "quote")) == [second]
    assert told(entities=("invoice",), actions=("created",)) == []
    assert told(actions=("created",)) == [first]
    assert told(run=str(runs[1].pk)) == [second]


def test_what_comes_in_meanwhile_is_not_in_it(flow: Flow, owner_actor: Actor, now: datetime) -> None:
    make_log(flow, at=now)
    export = ask(owner_actor, now + timedelta(seconds=1))
    make_log(flow, at=now + timedelta(seconds=2))

    assert made(export, now + timedelta(seconds=3)).total == 1


def test_begun_again_after_a_crash_it_is_whole(
    flow: Flow, owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_log(flow, at=now)
    export = ask(owner_actor, now + timedelta(seconds=1))
    monkeypatch.setattr(default_storage, "size", lambda name: 1 / 0)
    LogExport.objects.filter(pk=export.pk).update(status="running")
    default_storage.save(f"p_acme/exports/{export.pk}.jsonl", io.BytesIO(b"half of i"))
    monkeypatch.undo()

    export = made(export, now + timedelta(seconds=3))

    assert len(text_of(owner_actor, export).splitlines()) == 1
    assert export.file_name == f"p_acme/exports/{export.pk}.jsonl"


def test_a_failure_is_told(flow: Flow, owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    export = ask(owner_actor, now)
    monkeypatch.setattr(exports, "_batches", lambda rows: 1 / 0)

    export = made(export, now)

    assert (export.status, export.error[:26]) == (ExportStatus.FAILED, "It could not be written. A")
    with pytest.raises(NotVisible):
        open_export(owner_actor, export)


def test_a_stopped_export_leaves_no_file(
    flow: Flow, owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 1)
    run = make_run(flow)
    for _ in range(3):
        make_log(flow, at=now, run=run)
    export = ask(owner_actor, now + timedelta(seconds=1))
    told = exports._told

    def stop_then_tell(one: LogExport, batch: list[object]) -> list[dict[str, object]]:
        LogExport.objects.filter(pk=one.pk, status="running").update(status="canceled")
        return told(one, batch)

    monkeypatch.setattr(exports, "_told", stop_then_tell)

    export = made(export, now + timedelta(seconds=2))

    assert (export.status, export.done_count, export.file_name) == (ExportStatus.CANCELED, 0, "")
    with pytest.raises(UnableToCancelExport):
        cancel_export(actor=owner_actor, now=now, export=export)


def test_the_file_goes_in_time(flow: Flow, owner_actor: Actor, now: datetime) -> None:
    export = made(ask(owner_actor, now), now)
    item = WorkItem.objects.get(kind="logs.expire_export")
    assert (item.due_at, export.expires_at) == (now + timedelta(days=7), now + timedelta(days=7))

    expire_export(export_id=export.pk)

    export.refresh_from_db()
    assert (export.status, default_storage.exists(f"p_acme/exports/{export.pk}.jsonl")) == (ExportStatus.EXPIRED, False)
    with pytest.raises(NotVisible):
        open_export(owner_actor, export)


def test_a_customers_key_exports_its_own_and_sees_no_other(flow: Flow, owner_actor: Actor, now: datetime) -> None:
    foreign = make_flow(make_customer("Globex Cheese"))
    make_log(flow, at=now, title="Mine", diff={"name": ["a", "b"]})
    make_log(foreign, at=now, title="Theirs")
    partners = made(ask(owner_actor, now + timedelta(seconds=1)), now)

    own = made(ask(of(flow), now + timedelta(seconds=1)), now)

    (line,) = text_of(of(flow), own).splitlines()
    assert json.loads(line)["title"] == "Mine"
    assert "changes" not in json.loads(line)  # the key may not see values
    assert get_export(owner_actor, own.pk) == own
    for actor, hidden in ((of(flow), partners), (of(foreign), own), (of(foreign), partners)):
        with pytest.raises(NotVisible):
            get_export(actor, hidden.pk)


def test_values_are_only_for_those_who_may_see_them(flow: Flow, owner_actor: Actor, now: datetime) -> None:
    with_values = ask(owner_actor, now)
    viewer = Actor(ActorKind.USER, "v", "Vic", frozenset({"runs.view"}), scope=None)

    with pytest.raises(NotVisible):
        get_export(viewer, with_values.pk)
    assert get_export(viewer, ask(viewer, now).pk).has_payloads is False


@pytest.mark.parametrize(("kind", "format"), [("invoices", "csv"), ("runs", "xlsx")])
def test_what_cannot_be_made_is_refused(
    owner_actor: Actor, partner: object, now: datetime, kind: str, format: str
) -> None:
    with pytest.raises(UnableToExport):
        ask(owner_actor, now, kind=kind, format=format)


def test_a_few_at_a_time(owner_actor: Actor, partner: object, now: datetime) -> None:
    bound = replace(owner_actor, scope=frozenset({uuid7()}))
    for actor in (bound, owner_actor):  # a customer's key takes no room of the partner's
        for _ in range(5):
            ask(actor, now)

        with pytest.raises(UnableToExport):
            ask(actor, now)


@pytest.mark.parametrize("role", ["finance", "support"])
def test_whoever_may_not_see_it_any_more_gets_no_file(
    flow: Flow, owner: User, owner_actor: Actor, now: datetime, role: str
) -> None:
    make_log(flow, at=now, run=make_run(flow), diff={"name": ["a", "b"]})
    export = ask(owner_actor, now + timedelta(seconds=1))
    StaffMembership.objects.filter(user=owner).update(role=role)  # support sees the log, and no values

    export = made(export, now + timedelta(seconds=2))

    assert (export.status, export.error) == (ExportStatus.FAILED, "Staff owner may not do this any more.")
    assert not WorkItem.objects.filter(kind="logs.export").exists()
