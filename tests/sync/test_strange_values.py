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


@pytest.mark.parametrize("field", ["name", "amount", "closes", "unmapped"])
@pytest.mark.parametrize(
    "value", [10**40, -(10**18), 1e300, float(2**70), DEEP, {"a": DEEP}, "x\x00y", "9" * 5000, True, [], {}],
    ids=["1e40", "long", "1e300", "2**70", "deep", "deep within", "null", "digits", "bool", "list", "map"],
)  # fmt: skip
def test_the_other_records_go_on(flow: Any, now: Any, field: str, value: Any) -> None:
    vendor("crm").put("deals", "d1", **{field: value})
    vendor("crm").put("deals", "d3", name="Second", stage="won", company="c2")

    run = run_flow(flow, now)

    assert run.status in (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
    assert "Second" in [project["name"] for project in vendor("erp").all("projects")]
    for failure in RecordFailure.objects.all():
        assert (failure.external_id, bool(explain_failure(failure).cause)) == ("d1", True)


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


def test_an_id_with_a_null_character_stops_no_other(flow: Any, now: Any) -> None:
    vendor("crm").put("deals", "d\x009", name="Odd", stage="won", company="c1")

    run = run_flow(flow, now)

    assert (run.status, run.failed_count) == (RunStatus.PARTIAL, 1)
    assert [project["name"] for project in vendor("erp").all("projects")] == ["Forge rollout"]
    assert [failure.external_id for failure in RecordFailure.objects.all()] == ["d\ufffd9"]
