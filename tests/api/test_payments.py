"""Payments recorded by machines: booked once per key, and only by keys that may."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.billing.models import Payment
from apps.core.actor import Actor
from apps.core.ids import encode_id
from apps.tenants.models import Partner
from tests.api.conftest import ApiClient, make_key
from tests.factories.world import World, make_world

PAID = {"amount": 1000, "paid_on": "2026-11-02", "method": "bank_transfer", "reference": "Wire 7"}


@pytest.fixture
def harbor(partner: Partner) -> World:
    return make_world("Brightwater")


@pytest.fixture
def path(harbor: World) -> str:
    assert harbor.invoice is not None
    return f"/invoices/{encode_id('inv', harbor.invoice.pk)}/payments"


def booked() -> list[tuple[int, str]]:
    return list(Payment.objects.order_by("id").values_list("amount", "reference"))


def test_a_payment_is_recorded(api: ApiClient, path: str, harbor: World) -> None:
    answer = api.post(path, PAID, key="p1")

    assert (answer.status_code, answer.json()["amount"], answer.json()["method"]) == (201, 1000, "bank_transfer")
    assert booked() == [(1000, "Wire 7")]


def test_the_same_key_is_the_same_payment(api: ApiClient, path: str) -> None:
    answers = [api.post(path, PAID, key="p1").status_code for _ in range(2)]
    other = api.post(path, PAID, key="p2").status_code

    assert (answers, other) == ([201, 201], 201)
    assert booked() == [(1000, "Wire 7"), (1000, "Wire 7")]


def test_a_key_outlives_the_day_its_answer_is_kept(api: ApiClient, path: str) -> None:
    from apps.events.models import IdempotencyRecord

    api.post(path, PAID, key="p1")
    IdempotencyRecord.objects.all().delete()

    assert api.post(path, PAID, key="p1").status_code == 201
    assert len(booked()) == 1


def test_keys_of_two_robots_are_apart(api: ApiClient, path: str, owner_actor: Actor, now: datetime) -> None:
    second = ApiClient(make_key(owner_actor, now, name="Second robot")[1])

    assert [robot.post(path, PAID, key="p1").status_code for robot in (api, second)] == [201, 201]
    assert len(booked()) == 2


BAD: list[tuple[dict[str, Any], str]] = [
    ({"amount": 0}, "p"), ({"amount": 10_000_000}, "p"), ({"paid_on": "2999-01-01"}, "p"), ({"method": "barter"}, "p"), ({}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("change", "key"), BAD, ids=["nothing", "too much", "tomorrow", "unknown method", "no key"])
def test_what_does_not_fit_books_nothing(api: ApiClient, path: str, change: dict[str, Any], key: str) -> None:
    assert api.post(path, {**PAID, **change}, key=key).status_code == 400
    assert booked() == []


def test_a_reading_key_books_nothing(partner: Partner, path: str, owner_actor: Actor, now: datetime) -> None:
    reader = ApiClient(make_key(owner_actor, now, scopes=["billing.view"])[1])

    assert reader.post(path, PAID, key="p1").status_code == 403
    assert booked() == []
