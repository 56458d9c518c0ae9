"""Searching records by the id they have in a system."""

from __future__ import annotations

import pytest

from apps.canonical import selectors
from apps.canonical.models import CanonicalRecord, CrossReference, Entity
from apps.canonical.selectors import search_records
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.customers.models import Customer
from tests.factories.delivery import make_connection, make_customer


def known_as(customer: Customer, external_id: str, count: int) -> list[CanonicalRecord]:
    connection = make_connection(customer, "redmine", name="Redmine")
    made = []
    for number in range(count):
        record = CanonicalRecord.objects.create(
            customer=customer, environment=connection.environment, entity=Entity.PROJECT, title=f"P{number}",
            created_at=clock.now(), changed_at=clock.now(),
        )  # fmt: skip
        CrossReference.objects.create(
            record=record, connection=connection, object_name=f"object{number}", external_id=external_id
        )
        made.append(record)
    return made


def test_ones_own_record_is_found_however_many_others_share_its_id(partner: object) -> None:
    known_as(make_customer("Northwind"), "7", 60)
    own = make_customer("Brightwater")
    (record,) = known_as(own, "7", 1)
    actor = Actor(ActorKind.USER, "1", "Ada", frozenset({"records.view"}), frozenset({own.pk}))

    assert list(search_records(CanonicalRecord.objects.visible_to(actor), "7")) == [record]


@pytest.mark.parametrize("most_known", [1, 2, 3])
def test_few_and_many_matches_are_the_same_records(
    partner: object, monkeypatch: pytest.MonkeyPatch, most_known: int
) -> None:
    monkeypatch.setattr(selectors, "MOST_KNOWN", most_known)
    first, second = known_as(make_customer("Northwind"), "7", 2)
    (other,) = known_as(make_customer("Brightwater"), "8", 1)
    CanonicalRecord.objects.filter(pk__in=[first.pk, second.pk]).update(title="Rollout")
    own = CanonicalRecord.objects.filter(customer=first.customer)

    assert list(search_records(own.order_by("title"), "roll").order_by("-id")) == [second, first]
    assert list(search_records(CanonicalRecord.objects.all(), "8")) == [other]
    assert list(search_records(own, "8")) == []
