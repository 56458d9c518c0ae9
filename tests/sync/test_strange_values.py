"""Values that a system may send and nobody expects: they are kept, or told at the desk, and the run goes on."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from apps.connectors.sdk.manifest import StreamSpec
from apps.connectors.sdk.types import SourceRecord
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.mapping import compile_mapping
from apps.sync.models import RecordFailure, RunStatus
from apps.sync.selectors import explain_failure
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor
from tests.sync.test_opportunity_to_project import seed_won_deal

DEEP = orjson.loads(b"[" * 900 + b"]" * 900)


@pytest.fixture
def flow(deploy):
    seed_won_deal()
    return flow_of(deploy("opportunity-to-project"))


STRANGE: dict[str, Any] = {
    "1e40": 10**40, "long": -(10**18), "1e300": 1e300, "2**70": float(2**70), "deep": DEEP, "within": {"a": DEEP},
    "null": "x\x00y", "digits": "9" * 5000, "bool": True, "list": [], "map": {},
}  # fmt: skip


def test_the_other_records_go_on(flow: Any, now: Any) -> None:
    odd = [f"{field}-{kind}" for field in ("name", "amount", "close_date", "unmapped") for kind in STRANGE]
    for place in odd:
        field, _, kind = place.partition("-")
        fields = {"name": f"Odd {place}", "stage": "won", "company": "c1", field: STRANGE[kind]}
        vendor("crm").put("deals", place, **fields)
    vendor("crm").put("deals", "d3", name="Second", stage="won", company="c2")

    run = run_flow(flow, now)

    assert run.status == RunStatus.PARTIAL
    projects = {project["name"] for project in vendor("erp").all("projects")}
    assert {"Forge rollout", "Second", *(f"Odd unmapped-{kind}" for kind in STRANGE)} <= projects
    failures = list(RecordFailure.objects.filter(direction="read"))
    assert {f"name-{kind}" for kind in ("1e40", "deep", "within", "null")} <= {f.external_id for f in failures}
    mapped = {place for place in odd if not place.startswith("unmapped")}
    assert {f.external_id for f in RecordFailure.objects.exclude(external_id="")} <= mapped
    assert all(explain_failure(failure).cause for failure in RecordFailure.objects.all())


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('money(record.x, "EUR")', 1e22), ("record.x", "a\x00b"), ("record.x", [["a\x00b"]]), ("record.x", 2**64),
        ("record.x", [DEEP]),
    ],
    ids=["money", "null", "null within", "2**64", "deep"],
)  # fmt: skip
def test_a_value_that_cannot_be_kept_is_told_with_its_field(expression: str, value: Any) -> None:
    spec = StreamSpec(name="deals", label="Deals", entity="opportunity", fields={"amount": expression})

    with pytest.raises(RecordProblem, match="amount: It holds a number too large, a null character") as caught:
        compile_mapping(spec).apply(SourceRecord(external_id="1", data={"x": value}), known_hash="0")

    assert (caught.value.error_class, caught.value.code) == ("mapping", "amount")


# Each of these is more than a JSON writer, the database or the expressions' engine takes.
BEYOND = {
    "2**64": 2**64, "endless": 10**4400, "deep": DEEP, "within": {"a": [DEEP]}, "null": "x\x00y", "half a sign": "\ud800",
}  # fmt: skip
CHOOSES = "has(record.nickname) ? record.nickname : record.name"
LOOPS = 'record.tags.exists(tag, tag == "a") ? record.name : "none"'


@pytest.mark.parametrize("value", BEYOND.values(), ids=BEYOND)
@pytest.mark.parametrize("expression", ["record.name", "text(record.name)", CHOOSES, LOOPS])
def test_a_field_that_nobody_maps_may_hold_anything(expression: str, value: Any) -> None:
    mapping = compile_mapping(
        StreamSpec(name="deals", label="Deals", entity="opportunity", fields={"name": expression})
    )
    data = {"name": "Forge", "tags": ["a"], "extra": value, "list": [value]}

    mapped = mapping.apply(SourceRecord(external_id="1", data=data))

    assert mapped.data == {"name": "Forge"}
    assert mapped.hash == mapping.hash(SourceRecord(external_id="1", data=data))
    assert mapped.hash != mapping.hash(SourceRecord(external_id="1", data={**data, "name": "Anvil"}))


@pytest.mark.parametrize("value", [10**4400, "\ud800"], ids=["endless", "half a sign"])
def test_a_field_made_of_what_the_engine_does_not_take_is_the_one_told(value: Any) -> None:
    fields = {"name": CHOOSES, "stage": "record.x != '' ? record.x : 'open'"}
    spec = StreamSpec(name="deals", label="Deals", entity="opportunity", fields=fields)

    with pytest.raises(RecordProblem) as caught:
        compile_mapping(spec).apply(SourceRecord(external_id="1", data={"name": "Forge", "x": value}))

    assert caught.value.code == "stage"


def test_a_text_that_only_looks_like_a_null_character_is_kept() -> None:
    spec = StreamSpec(name="deals", label="Deals", entity="opportunity", fields={"name": "record.x"})
    value = ["\\u0000", "\\\\u0000"]

    assert compile_mapping(spec).apply(SourceRecord(external_id="1", data={"x": value})).data == {"name": value}


def test_an_id_with_a_null_character_stops_no_other(flow: Any, now: Any) -> None:
    vendor("crm").put("deals", "d\x009", name="Odd", stage="won", company="c1")

    run = run_flow(flow, now)

    assert (run.status, run.failed_count) == (RunStatus.PARTIAL, 1)
    assert [project["name"] for project in vendor("erp").all("projects")] == ["Forge rollout"]
    assert [failure.external_id for failure in RecordFailure.objects.all()] == ["d\ufffd9"]
