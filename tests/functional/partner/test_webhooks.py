"""Somebody of the partner sets up an endpoint, tries it, reads its log and sends again."""

from __future__ import annotations

import re
from datetime import datetime

from django.test import Client
from django.urls import reverse

from apps.audit.models import AuditEvent
from apps.notifications.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from tests.factories.delivery import make_customer
from tests.functional.partner.conftest import SignIn
from tests.notifications.conftest import happen

URL = "https://hooks.example.com/in"


def page(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def add(owner: Client, **fields: object) -> WebhookEndpoint:
    owner.post(page("webhook_add"), {"url": URL, "hears": "all", "description": "Warehouse", **fields})
    return WebhookEndpoint.objects.get()


def text_of(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined,no-any-return]


def test_an_endpoint_is_added_and_its_secret_shown_once(owner: Client) -> None:
    empty = text_of(owner.get(page("webhooks")))
    assert "No endpoints yet" in empty

    answer = owner.post(page("webhook_add"), {"url": URL, "hears": "chosen", "events": ["opportunity.won"]})

    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", text_of(answer))
    endpoint = WebhookEndpoint.objects.get()
    assert secret is not None
    assert (endpoint.url, endpoint.events) == (URL, ["opportunity.won"])
    assert "no-store" in answer["Cache-Control"]
    for name, args in (("webhooks", ()), ("webhook", (endpoint.pk,)), ("webhook_edit", (endpoint.pk,))):
        shown = text_of(owner.get(page(name, *args)))
        assert URL in shown
        assert "whsec_" not in shown
    assert AuditEvent.objects.filter(action="webhook_endpoint.created").count() == 1


def test_the_form_tells_what_is_wrong(owner: Client) -> None:
    nothing_chosen = owner.post(page("webhook_add"), {"url": URL, "hears": "chosen"})
    no_address = owner.post(page("webhook_add"), {"url": "nowhere", "hears": "all"})

    assert "Choose at least one event." in text_of(nothing_chosen)
    assert "Give a whole address" in text_of(no_address)
    assert WebhookEndpoint.objects.count() == 0


def test_it_is_changed_tested_paused_resumed_rotated_and_removed(owner: Client) -> None:
    endpoint = add(owner)
    changed = {"url": f"{URL}/2", "hears": "chosen", "events": ["opportunity.won"], "contact_email": "ops@acme.example"}

    owner.post(page("webhook_edit", endpoint.pk), changed)
    owner.post(page("webhook_test", endpoint.pk))
    owner.post(page("webhook_pause", endpoint.pk))
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.events, endpoint.status) == (f"{URL}/2", ["opportunity.won"], "paused")
    assert "What happens meanwhile waits." in text_of(owner.get(page("webhook", endpoint.pk)))
    refused = owner.post(page("webhook_test", endpoint.pk), follow=True)
    assert "The endpoint is paused. Resume it first." in text_of(refused)
    owner.post(page("webhook_resume", endpoint.pk))
    rotated = text_of(owner.post(page("webhook_rotate", endpoint.pk)))
    assert "for the next 24 hours" in rotated
    assert WebhookSecret.objects.filter(expires_at=None).count() == 1
    assert WebhookDelivery.objects.filter(is_test=True).count() == 1
    owner.post(page("webhook_remove", endpoint.pk))
    assert WebhookEndpoint.objects.count() == 0


def test_the_log_is_filtered_and_sent_again(owner: Client, now: datetime) -> None:
    endpoint = add(owner)
    first, second = happen(now, number="1"), happen(now, number="2")
    WebhookDelivery.objects.update(status="failed", next_at=None, last_error="Answered 500.", attempt_count=8)
    WebhookDelivery.objects.filter(body__contains='"2"').update(status="delivered", last_error="", last_status=204)

    shown = text_of(owner.get(page("webhook", endpoint.pk)))
    assert all(part in shown for part in (first, second, "Answered 500.", "Answered 204.", "undelivered again"))
    filtered = text_of(owner.get(page("webhook", endpoint.pk), {"state": "delivered"}))
    assert first not in filtered
    assert second in filtered
    assert first in text_of(owner.get(page("webhook", endpoint.pk), {"q": first}))

    owner.post(page("webhook_replay", endpoint.pk))
    assert list(WebhookDelivery.objects.order_by("id").values_list("status", flat=True)) == ["waiting", "delivered"]
    owner.post(page("webhook_replay", endpoint.pk) + "?state=delivered")
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"waiting"}


def test_a_delivery_shows_what_was_sent_and_answered(owner: Client, now: datetime) -> None:
    add(owner)
    happen(now)
    delivery = WebhookDelivery.objects.get()
    delivery.note(
        {"at": now.isoformat(), "status": 500, "error": "Answered 500.", "excerpt": "<b>Oh no</b>", "duration_ms": 120}
    )
    WebhookDelivery.objects.update(status="failed", next_at=None, attempt_count=1, log=delivery.log)

    shown = text_of(owner.get(page("webhook_delivery", delivery.pk)))

    assert all(part in shown for part in ("&lt;b&gt;Oh no&lt;/b&gt;", "ACME-1", "1 of 8", "Send again"))
    owner.post(page("webhook_delivery_replay", delivery.pk))
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == ("waiting", 0)


def test_an_endpoint_of_one_customer(owner: Client, now: datetime) -> None:
    customer = make_customer("Brightwater")
    endpoint = add(owner, customer=str(customer.pk))

    assert endpoint.customer_id == customer.pk
    assert "Brightwater" in text_of(owner.get(page("webhooks")))
    assert "customers.customer.created" not in text_of(owner.get(page("webhook_edit", endpoint.pk)))


def test_every_event_type_is_described(viewer: Client) -> None:
    shown = text_of(viewer.get(page("event_types")))

    assert all(part in shown for part in ("opportunity.won", "A deal was won.", "record_id", "id, rec_…"))
    assert "connectors.webhook.received" not in shown


def test_who_may_only_look_changes_nothing(viewer: Client, sign_in: SignIn, now: datetime) -> None:
    endpoint = add(sign_in("engineer"))

    assert "Send a test</button>" not in text_of(viewer.get(page("webhook", endpoint.pk)))
    for name in ("webhook_test", "webhook_pause", "webhook_rotate", "webhook_remove", "webhook_replay"):
        assert viewer.post(page(name, endpoint.pk)).status_code == 403
    assert sign_in("finance").get(page("webhooks")).status_code == 403
    assert WebhookEndpoint.objects.get().status == "active"
