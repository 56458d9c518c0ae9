"""What Zendesk does that others do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from apps.connectors.sdk.errors import ConfigurationError, FatalError, RateLimited, RecordRejected
from apps.connectors.sdk.webhooks import ForgedWebhook
from sandbox.testing import RunningSandbox
from sandbox.zendesk import VENDOR
from tests.connectors.delivery import mapped, read_all, write, written
from tests.connectors.zendesk.harness import ZendeskHarness

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TICKET = {"name": "Printer on fire", "status": "open", "priority": "urgent", "description": "It burns"}


@pytest.fixture
def harness(sandbox: RunningSandbox) -> ZendeskHarness:
    return ZendeskHarness(sandbox)


def test_a_wrong_token_is_a_stranger_with_a_good_answer(harness):
    """Zendesk says 200 and describes an anonymous user."""
    connector = harness.connector(valid=False)
    assert connector.client.get("/api/v2/users/me")["user"]["id"] is None

    with pytest.raises(ConfigurationError, match="does not know"):
        connector.check()


def test_an_agents_token_is_refused(harness):
    harness.control.settings(role="agent")

    with pytest.raises(ConfigurationError, match="administrator"):
        harness.connector().check()


def test_the_last_minute_comes_with_the_next_pass(harness):
    connector = harness.connector()
    harness.seed("tickets", 1)
    late = harness.seed_one("tickets")

    first, checkpoint = read_all(connector, "tickets")
    second, checkpoint = read_all(connector, "tickets", checkpoint)
    harness.settle(62)
    third, _ = read_all(connector, "tickets", checkpoint)

    assert late not in {record.external_id for record in (*first, *second)}
    assert [record.external_id for record in third] == [late]


def test_a_pass_goes_on_behind_its_cursor(harness):
    connector = harness.connector()
    harness.seed("tickets", 3)

    _, checkpoint = read_all(connector, "tickets", size=2)
    again, same = read_all(connector, "tickets", checkpoint)

    assert again == []
    assert same == checkpoint
    assert "start_time" in harness.control.requests()[0]["query"]


@pytest.mark.parametrize("stream", ["tickets", "contacts", "organizations"])
def test_deleted_things_are_told(harness, stream):
    connector = harness.connector()
    kept, gone = harness.seed(stream, 2)
    _, checkpoint = read_all(connector, stream)
    harness.control.delete(harness.kind(stream), gone)
    harness.settle(62)

    records, _ = read_all(connector, stream, checkpoint)

    states = {record.external_id: record.deleted for record in records}
    assert states[gone] is True
    assert states.get(kept, False) is False


def test_an_agent_who_left_stays(harness):
    connector = harness.connector()
    (agent,) = harness.seed("agents", 1)
    harness.control.delete("users", agent)

    record = connector.stream("agents").get(agent)

    assert (record.deleted, mapped(connector, "agents", record)["status"]) == (False, "inactive")


def test_no_export_call_is_left(harness):
    connector = harness.connector()
    harness.seed("tickets", 5)
    harness.control.settings(exports_left=1)
    pages = connector.stream("tickets").read(checkpoint=None, page_size=2)

    read = [next(pages), next(pages)]
    with pytest.raises(RateLimited) as caught:
        next(pages)

    assert caught.value.retry_after == 42
    rest, _ = read_all(harness.connector(), "tickets", read[-1].checkpoint)
    assert len(rest) == 1


def test_organizations_of_one_export_are_read_with_one_call(harness):
    harness.seed("organizations", 5)

    records, _ = read_all(harness.connector(), "organizations", size=2)

    assert len(records) == 5
    assert len(harness.control.requests()) == 1


def test_more_organizations_in_a_second_than_an_export_shows(harness):
    harness.control.settings(export_page=2)
    harness.control.create("organizations", [{"name": f"Same second {number}"} for number in range(6)])
    harness.settle(62)

    with pytest.raises(FatalError, match="one second"):
        read_all(harness.connector(), "organizations")


def test_a_ticket_names_its_people(harness):
    connector = harness.connector()
    organization = harness.made("organizations")["id"]
    contact = harness.made("contacts", email="Ada@Initech.test")["id"]
    agent = harness.made("agents")["id"]
    refs = {"account": str(organization), "contact": str(contact), "resource": str(agent)}

    made = written(write(connector, "tickets", "t-1", TICKET, **refs))

    expected = {**TICKET, "number": made.external_id, "requester_email": "ada@initech.test", "refs": refs}
    assert mapped(connector, "tickets", made) == expected
    harness.settle(62)
    assert [mapped(connector, "tickets", record) for record in read_all(connector, "tickets")[0]] == [expected]


def test_a_ticket_opened_by_an_agent_has_no_contact(harness):
    connector = harness.connector()
    ticket = harness.made("tickets", requester_id=harness.made("agents")["id"])

    refs = mapped(connector, "tickets", connector.stream("tickets").get(str(ticket["id"])))["refs"]

    assert refs == {}


@pytest.mark.parametrize(
    ("theirs", "ours"), [("hold", "pending"), ("new", "new"), ("solved", "solved"), ("open", "open")]
)
def test_statuses(harness, theirs, ours):
    connector = harness.connector()
    ticket = harness.made("tickets", status=theirs)

    assert mapped(connector, "tickets", connector.stream("tickets").get(str(ticket["id"])))["status"] == ours


def test_a_ticket_is_made_once_now_and_found_later(harness):
    connector = harness.connector()

    first = written(write(connector, "tickets", "T-1", TICKET))
    again = written(write(connector, "tickets", "T-1", TICKET))
    harness.settle(3 * 3600)

    assert first.external_id == again.external_id
    assert connector.sink("tickets").resolve("T-1").external_id == first.external_id
    # Zendesk compares external ids without regard to case.
    assert connector.sink("tickets").resolve("t-1") is None


def test_a_closed_ticket_takes_no_change(harness):
    connector = harness.connector()
    ticket = harness.made("tickets", status="closed")

    result = write(connector, "tickets", "t-2", TICKET, str(ticket["id"]))

    assert isinstance(result.error, RecordRejected)
    assert "closed prevents ticket update" in result.error.message


def test_an_agents_address_is_not_taken_for_a_contact(harness):
    """Created or updated by address, the agent would become an end user."""
    agent = harness.made("agents", email="dana@northwind.example", name="Dana")
    contact = {"name": "Dana R", "email": "dana@northwind.example"}

    result = write(harness.connector(), "contacts", "c-1", contact)

    assert isinstance(result.error, RecordRejected)
    assert "already being used" in result.error.message
    held = {row["id"]: (row["role"], row["name"]) for row in harness.control.objects("users")}
    assert held[agent["id"]] == ("agent", "Dana")


def signed(payload, *, at=NOW, secret="s3cret-1"):
    body = orjson.dumps(payload)
    sent = VENDOR.webhook_headers(secret=secret, url="", body=body, now=at)
    return {
        "secret": "s3cret-1",
        "headers": {k.lower(): v for k, v in sent.items()},
        "body": body,
        "url": "",
        "now": NOW,
    }


@pytest.mark.parametrize(
    ("subject", "role", "stream"),
    [
        ("zen:ticket:7", None, "tickets"),
        ("zen:organization:7", None, "organizations"),
        ("zen:user:7", "end-user", "contacts"),
        ("zen:user:7", "agent", "agents"),
    ],
)
def test_each_event_names_its_object(subject, role, stream):
    payload = {
        "id": "e-1",
        "account_id": 5,
        "time": "2026-11-20T11:59:00Z",
        "subject": subject,
        "detail": {"role": role},
    }

    (event,) = ZendeskHarness.connector_type.verify_webhook(**signed(payload))

    assert (event.stream, event.external_id, event.account_id, event.event_id) == (stream, "7", "5", "e-1")
    assert event.occurred_at == datetime(2026, 11, 20, 11, 59, tzinfo=UTC)


def test_a_replay_is_refused_and_another_kind_ignored():
    verify = ZendeskHarness.connector_type.verify_webhook
    payload = {"id": "e-1", "subject": "zen:article:7", "time": "2026-11-20T11:59:00Z"}

    assert verify(**signed(payload)) == []
    for late in (timedelta(minutes=-6), timedelta(minutes=6)):
        with pytest.raises(ForgedWebhook):
            verify(**signed(payload, at=NOW + late))
