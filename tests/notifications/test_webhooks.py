"""An event reaches whoever subscribes: signed, at least once, again after failures, and never somebody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest
from django.core import mail

from apps.core.actor import Actor
from apps.core.http import BlockedAddress
from apps.dispatch.models import WorkItem
from apps.events.models import OutboxEvent
from apps.notifications.models import DeliveryStatus, EndpointStatus, OutgoingMail, WebhookDelivery, WebhookEndpoint
from apps.notifications.schedule import PAUSES, pause_after
from apps.notifications.services import (
    Selection,
    UnableToReplay,
    create_endpoint,
    deliver_mail,
    pause_endpoint,
    replay_delivery,
    replay_selection,
    resume_endpoint,
    send_test,
    update_endpoint,
)
from apps.notifications.services.queueing import KIND, prune_deliveries
from tests.factories.delivery import make_customer
from tests.notifications.conftest import URL, Receiver, happen, work


def due_at(endpoint: WebhookEndpoint) -> datetime:
    return WorkItem.objects.get(kind=KIND, key=str(endpoint.pk)).due_at


def is_due(endpoint: WebhookEndpoint) -> bool:
    return WorkItem.objects.filter(kind=KIND, key=str(endpoint.pk)).exists()


def test_it_works(endpoint: WebhookEndpoint, receiver: Receiver, now: datetime) -> None:
    message_id = happen(now, subject_key=f"customer:{UUID(int=1)}")
    assert due_at(endpoint) == now

    assert work(endpoint, now) == 1

    request = receiver.requests[0]
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.headers["content-type"] == "application/json"
    assert (request.headers["webhook-id"], request.headers["webhook-timestamp"]) == (message_id, "1793610000")
    assert json.loads(request.content) == {
        "type": "billing.invoice.paid", "version": 1, "timestamp": "2026-11-02T09:00:00.000Z",
        "customer": f"cus_{UUID(int=1).hex}", "data": {"invoice_id": f"inv_{'0' * 32}", "number": "ACME-1"},
    }  # fmt: skip
    delivery = WebhookDelivery.objects.get()
    [attempt] = delivery.log
    assert (delivery.status, delivery.attempt_count, delivery.ended_at) == (DeliveryStatus.DELIVERED, 1, now)
    assert (attempt["at"], attempt["status"], attempt["error"], attempt["excerpt"]) == (
        now.isoformat(),
        200,
        "",
        "thanks",
    )
    assert not is_due(endpoint)


def test_nobody_reads_the_platforms_name(endpoint: WebhookEndpoint, receiver: Receiver, now: datetime) -> None:
    happen(now)
    work(endpoint, now)

    request = receiver.requests[0]
    assert request.headers["user-agent"] == "Acme/1.0"
    assert "interlace" not in (str(request.headers) + request.content.decode()).lower()


def test_events_are_told_in_the_order_they_happened(
    endpoint: WebhookEndpoint, receiver: Receiver, now: datetime
) -> None:
    ids = [happen(now + timedelta(seconds=n), number=str(n)) for n in range(5)]

    assert work(endpoint, now + timedelta(seconds=10)) == 5
    assert receiver.ids == ids


def test_relaying_again_tells_nobody_twice(endpoint: WebhookEndpoint, receiver: Receiver, now: datetime) -> None:
    from apps.events.models import ConsumedEvent
    from apps.events.relaying import relay_outbox

    happen(now)
    ConsumedEvent.objects.all().delete()
    OutboxEvent.objects.update(relayed_at=None)
    relay_outbox(now=now)

    assert WebhookDelivery.objects.count() == 1


def test_only_chosen_events_are_told(partner: object, owner_actor: Actor, receiver: Receiver, now: datetime) -> None:
    create_endpoint(actor=owner_actor, now=now, url=URL, events=["billing.invoice.voided"])
    happen(now)
    assert WebhookDelivery.objects.count() == 0

    endpoint = WebhookEndpoint.objects.get()
    update_endpoint(actor=owner_actor, now=now, endpoint=endpoint, events=["billing.invoice.paid"])
    happen(now)
    assert WebhookDelivery.objects.count() == 1


def test_a_customers_endpoint_hears_of_that_customer_alone(
    partner: object, owner_actor: Actor, receiver: Receiver, now: datetime
) -> None:
    ours, theirs = make_customer("Brightwater"), make_customer("Northwind")
    endpoint, _ = create_endpoint(actor=owner_actor, now=now, url=URL, customer_id=ours.pk)
    happen(now, subject_key=theirs.subject_key, number="theirs")
    happen(now, subject_key="user:7", number="nobody's")
    told = happen(now, subject_key=ours.subject_key, number="ours")
    from apps.customers.services import update_customer

    update_customer(actor=owner_actor, now=now, customer=ours, contact_name="Ann")  # not told to customers
    work(endpoint, now)

    assert receiver.ids == [told]
    assert b'"ours"' in receiver.requests[0].content


def test_it_is_tried_eight_times_over_about_a_day(endpoint: WebhookEndpoint, receiver: Receiver, now: datetime) -> None:
    receiver.answers = [500] * 8
    message_id, at = happen(now), now
    delivery = WebhookDelivery.objects.get()
    times = []
    for _ in range(8):
        times.append(at)
        work(endpoint, at)
        delivery.refresh_from_db()
        at = delivery.next_at or at

    assert receiver.ids == [message_id] * 8
    assert (delivery.status, delivery.attempt_count, delivery.last_error) == ("failed", 8, "Answered 500.")
    assert timedelta(hours=21) < times[-1] - times[0] < timedelta(hours=26)
    for pause, earlier, later in zip(PAUSES, times, times[1:], strict=False):
        assert pause * 0.9 <= later - earlier <= pause * 1.1
    assert not is_due(endpoint)
    stamps = [request.headers["webhook-timestamp"] for request in receiver.requests]
    assert stamps == [str(int(at.timestamp())) for at in times]


def test_pauses_differ_between_deliveries_and_not_for_one() -> None:
    pauses = {pause_after(3, str(number)) for number in range(50)}

    assert len(pauses) == 50
    assert pause_after(3, "7") == pause_after(3, "7")
    assert pause_after(8, "7") is None


def test_a_receiver_that_asks_for_time_gets_it(endpoint: WebhookEndpoint, receiver: Receiver, now: datetime) -> None:
    receiver.answers = [lambda _: httpx2.Response(429, headers={"retry-after": "90"})]
    happen(now)
    work(endpoint, now)

    assert due_at(endpoint) == now + timedelta(seconds=90)


def test_a_failed_delivery_does_not_hold_up_the_next(
    endpoint: WebhookEndpoint, receiver: Receiver, now: datetime
) -> None:
    receiver.answers = [503]
    first, second = happen(now), happen(now)

    assert work(endpoint, now) == 1
    assert work(endpoint, due_at(endpoint)) == 1
    assert receiver.ids == [first, second, first]


def test_an_endpoint_that_does_not_answer_rests_before_the_next(
    endpoint: WebhookEndpoint, receiver: Receiver, now: datetime
) -> None:
    receiver.answers = [500] * 5
    for _ in range(5):
        happen(now)
    work(endpoint, now)

    assert len(receiver.requests) == 3
    assert due_at(endpoint) == now + timedelta(minutes=5)
    untouched = WebhookDelivery.objects.filter(attempt_count=0)
    assert untouched.count() == 2


def refuse(_: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused")


def drip(_: httpx2.Request) -> httpx2.Response:
    raise httpx2.ReadTimeout("slow")


def block(_: httpx2.Request) -> httpx2.Response:
    raise BlockedAddress("inside.example is not a public address")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refuse, "No connection: refused"),
        (drip, "No answer within 15 seconds."),
        (block, "Not allowed: inside.example is not a public address."),
        (301, "Answered 301: redirects are not followed. Enter the final address."),
    ],
)
def test_failures_are_told_in_words(
    endpoint: WebhookEndpoint, receiver: Receiver, now: datetime, answer: object, error: str
) -> None:
    receiver.answers = [answer]  # type: ignore[list-item]
    happen(now)
    work(endpoint, now)

    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.last_error) == (DeliveryStatus.WAITING, error)


def test_answers_are_kept_in_part_and_clean(endpoint: WebhookEndpoint, receiver: Receiver, now: datetime) -> None:
    receiver.answers = [lambda _: httpx2.Response(500, content=b"a\x00\xff" + b"x" * 5000)]
    happen(now)
    work(endpoint, now)

    excerpt = WebhookDelivery.objects.get().log[0]["excerpt"]
    assert (len(excerpt), excerpt[:3]) == (999, "a�x")


def test_private_addresses_are_never_called(
    partner: object, owner_actor: Actor, now: datetime, settings: object
) -> None:
    endpoint, _ = create_endpoint(actor=owner_actor, now=now, url="https://127.0.0.1/in")
    happen(now)
    settings.OUTBOUND_ALLOW_PRIVATE = False  # type: ignore[attr-defined]
    work(endpoint, now)

    assert WebhookDelivery.objects.get().last_error == "Not allowed: 127.0.0.1 is not a public address."


class Killed(BaseException):
    """The worker is gone before it can note anything."""


def test_a_worker_that_dies_after_sending_leaves_the_same_message_to_the_next(
    endpoint: WebhookEndpoint, receiver: Receiver, now: datetime
) -> None:
    def die(_: httpx2.Request) -> httpx2.Response:
        raise Killed

    receiver.answers = [die]
    message_id = happen(now)
    with pytest.raises(Killed):
        work(endpoint, now)

    assert work(endpoint, now + timedelta(seconds=60)) == 0  # still claimed
    assert work(endpoint, now + timedelta(minutes=2)) == 1
    assert receiver.ids == [message_id, message_id]
    assert receiver.requests[0].content == receiver.requests[1].content
    assert WebhookDelivery.objects.get().status == DeliveryStatus.DELIVERED


def test_410_switches_off_at_once_and_tells(endpoint: WebhookEndpoint, receiver: Receiver, now: datetime) -> None:
    receiver.answers = [410]
    happen(now)
    happen(now)
    work(endpoint, now)

    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.status_reason) == ("disabled", "The address answered 410: it is gone for good.")
    assert len(receiver.requests) == 1
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"withdrawn"}
    deliver_mail(mail_id=OutgoingMail.objects.get().pk, now=now)
    assert mail.outbox[0].to == ["ops@acme.example"]
    assert mail.outbox[0].subject == f"Webhooks to {URL} are switched off"
    assert "2 messages that waited were withdrawn" in mail.outbox[0].body
    happen(now)
    assert WebhookDelivery.objects.count() == 2
    assert OutboxEvent.objects.filter(type="notifications.webhook.disabled").count() == 1


def test_days_of_failures_switch_off_and_one_success_forgives(
    endpoint: WebhookEndpoint, receiver: Receiver, now: datetime
) -> None:
    def fail_at(day: float) -> str:
        receiver.answers = [500]
        at = now + timedelta(days=day)
        happen(at)
        WebhookDelivery.objects.filter(status="waiting", created_at__lt=at).update(status="failed")
        work(endpoint, at)
        endpoint.refresh_from_db()
        return endpoint.status

    assert [fail_at(day) for day in (0, 4.9)] == ["active", "active"]
    receiver.answers = []
    happen(now + timedelta(days=4.95))
    work(endpoint, now + timedelta(days=4.95))
    assert [fail_at(day) for day in (5, 9.9, 10)] == ["active", "active", "disabled"]
    assert endpoint.status_reason == "Nothing was accepted for 5 days."


def test_paused_means_waiting(endpoint: WebhookEndpoint, receiver: Receiver, owner_actor: Actor, now: datetime) -> None:
    pause_endpoint(actor=owner_actor, now=now, endpoint=endpoint)
    message_id = happen(now)
    assert not is_due(endpoint)
    assert work(endpoint, now) == 0

    resume_endpoint(actor=owner_actor, now=now, endpoint=endpoint)

    assert work(endpoint, now) == 1
    assert receiver.ids == [message_id]


def test_a_test_goes_to_this_endpoint_whatever_it_hears(
    partner: object, owner_actor: Actor, receiver: Receiver, now: datetime
) -> None:
    endpoint, _ = create_endpoint(actor=owner_actor, now=now, url=URL, events=["billing.invoice.voided"])
    create_endpoint(actor=owner_actor, now=now, url=URL)
    receiver.answers = [500]

    delivery = send_test(actor=owner_actor, now=now, endpoint=endpoint)
    work(endpoint, now)

    delivery.refresh_from_db()
    assert json.loads(receiver.requests[0].content)["type"] == "notifications.webhook.tested"
    assert (delivery.is_test, delivery.status, delivery.attempt_count) == (True, "failed", 1)
    assert WebhookDelivery.objects.count() == 1


def test_what_ended_is_sent_again_with_its_id(
    endpoint: WebhookEndpoint, receiver: Receiver, owner_actor: Actor, now: datetime
) -> None:
    message_id = happen(now)
    delivery = WebhookDelivery.objects.get()
    with pytest.raises(UnableToReplay):
        replay_delivery(actor=owner_actor, now=now, delivery=delivery)
    work(endpoint, now)
    delivery.refresh_from_db()

    replay_delivery(actor=owner_actor, now=now, delivery=delivery)
    work(endpoint, now)

    assert receiver.ids == [message_id, message_id]
    delivery.refresh_from_db()
    assert (len(delivery.log), delivery.attempt_count) == (2, 1)


def test_a_range_is_sent_again_in_order(
    endpoint: WebhookEndpoint, receiver: Receiver, owner_actor: Actor, now: datetime
) -> None:
    ids = [happen(now + timedelta(hours=n), number=str(n)) for n in range(6)]
    WebhookDelivery.objects.update(status="failed", next_at=None)
    WebhookDelivery.objects.filter(event_id=UUID(ids[2].removeprefix("evt_"))).update(status="delivered")
    chosen = Selection(since=now + timedelta(hours=1), until=now + timedelta(hours=5))

    assert replay_selection(actor=owner_actor, now=now, endpoint=endpoint, selection=chosen) == 3
    work(endpoint, now)

    assert receiver.ids == [ids[1], ids[3], ids[4]]
    none = Selection(event_types=("billing.invoice.voided",))
    assert replay_selection(actor=owner_actor, now=now, endpoint=endpoint, selection=none) == 0


def test_an_endpoint_that_is_off_takes_no_replay(endpoint: WebhookEndpoint, owner_actor: Actor, now: datetime) -> None:
    WebhookEndpoint.objects.update(status=EndpointStatus.DISABLED)
    endpoint.refresh_from_db()

    with pytest.raises(UnableToReplay, match="The endpoint is switched off"):
        replay_selection(actor=owner_actor, now=now, endpoint=endpoint, selection=Selection())


def test_the_log_is_kept_for_thirty_days(endpoint: WebhookEndpoint, receiver: Receiver, now: datetime) -> None:
    happen(now)
    work(endpoint, now)
    happen(now)  # still waiting: kept, however old

    assert prune_deliveries(now=now + timedelta(days=30)) == 0
    assert prune_deliveries(now=now + timedelta(days=30, seconds=1)) == 1
    assert WebhookDelivery.objects.get().status == DeliveryStatus.WAITING
    assert WorkItem.objects.get(kind="notifications.prune").due_at == datetime(2026, 12, 3, 9, 0, 1, tzinfo=UTC)
