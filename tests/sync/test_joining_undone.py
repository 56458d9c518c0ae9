"""Whatever two customers hold, and whatever a person decides: joining them and undoing it changes nothing."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.canonical.models import CanonicalChange, CanonicalLink, CanonicalRecord, CrossReference, RecordMerge
from apps.canonical.promoted import match_keys, promoted
from apps.canonical.scoring import Score
from apps.canonical.services import ask_questions
from apps.canonical.services.questions import Doubtful
from apps.sync.services import (
    UnableToCarryOut,
    apply_plan,
    carry_on_plan,
    decide_row,
    merge_plans,
    request_joining,
    undo_plan,
)
from tests.factories.askers import owner, owner_actor
from tests.sync.fake_vendor import VENDORS
from tests.sync.joining import fingerprint, other, their_systems

__all__ = ["other", "owner", "owner_actor", "their_systems"]
NAMES = st.sampled_from(["Vulcan", "Vulcan GmbH", "Forge", "Anvil"])
ACCOUNT = st.fixed_dictionaries({"name": NAMES}, optional={
    "domain": st.sampled_from(["v.example", "f.example"]), "phone": st.sampled_from(["030 111111", "030 222222"]),
})  # fmt: skip
INDEX = st.integers(0, 5)


@given(
    mine=st.lists(ACCOUNT, min_size=3, max_size=3), others=st.lists(ACCOUNT, min_size=3, max_size=3),
    linked=st.lists(st.tuples(INDEX, INDEX, st.sampled_from(["account", "contact"])), max_size=6),
    homes=st.lists(st.tuples(INDEX, st.sampled_from(["crm", "erp"])), max_size=6),
    asked=st.lists(st.tuples(INDEX, INDEX), max_size=3), by_hand=st.lists(st.tuples(INDEX, INDEX), max_size=2),
    older=st.sets(INDEX), prefers_other=st.booleans(), at_once=st.sampled_from([1, 2, 25]),
)  # fmt: skip
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_joining_and_undoing_returns_to_the_start(
    environment, systems, other, their_systems, owner_actor, now, monkeypatch, mine, others, linked, homes, asked,
    by_hand, older, prefers_other, at_once,
):  # fmt: skip
    VENDORS.clear()
    monkeypatch.setattr(merge_plans, "MERGED_AT_ONCE", at_once)
    with transaction.atomic():
        records = _records(environment, other, mine, others, older, now)
        _tie(records, (systems, their_systems), linked, homes)
        _ask(records, asked, now)
        before = fingerprint()
        acting = {"actor": owner_actor, "now": now}
        plan = request_joining(**acting, customer=environment.customer, other=other.customer)
        carry_on_plan(plan_id=plan.pk, now=now)
        _decide(plan, records, by_hand, acting)
        merging = plan.rows.filter(outcome="merge").count()
        apply_plan(**acting, plan=plan, prefers_other=prefers_other)
        carry_on_plan(plan_id=plan.pk, now=now)

        assert RecordMerge.objects.filter(batch_id=plan.pk).count() == merging
        assert CanonicalRecord.objects.filter(environment=environment).count() == 6 - merging
        undo_plan(**acting, plan=plan)
        carry_on_plan(plan_id=plan.pk, now=now)

        assert fingerprint() == before
        assert CanonicalChange.objects.values("record", "version").distinct().count() == CanonicalChange.objects.count()
        transaction.set_rollback(True)


def _records(environment, other, mine, others, older, now) -> list[CanonicalRecord]:
    """Three of each customer."""
    made = []
    for number, data in enumerate([*mine, *others]):
        at = now - timedelta(days=number in older, minutes=number)
        place = environment if number < 3 else other
        made.append(
            CanonicalRecord.objects.create(
                customer_id=place.customer_id, environment=place, entity="account", data=data,
                **promoted(data)._asdict(), match_keys=match_keys("account", data), created_at=at, changed_at=at,
            )
        )  # fmt: skip
    return made


def _tie(records, sides, linked, homes) -> None:
    for source, target, name in linked:
        if source // 3 == target // 3:
            found = {"target": records[target]}
            CanonicalLink.objects.get_or_create(source=records[source], name=name, defaults=found)
    for number, role in homes:
        CrossReference.objects.get_or_create(
            record=records[number], connection=sides[number // 3][role], object_name="o",
            defaults={"external_id": f"{role}{number}"},
        )  # fmt: skip


def _ask(records, asked, now) -> None:
    for left, right in asked:
        if left != right and left // 3 == right // 3:
            doubt = Doubtful("account", records[left].pk, records[right].pk, Score(50))
            ask_questions(records[left].environment, [doubt], now)


def _decide(plan, records, by_hand, acting) -> None:
    for number, target in by_hand:
        row, right_id = plan.rows.get(left_id=records[3 + number % 3].pk), records[target % 3].pk
        try:
            decide_row(**acting, plan=plan, row=row, right_id=right_id)
        except UnableToCarryOut:
            assert plan.rows.filter(right_id=right_id, outcome="merge").count() == 1
