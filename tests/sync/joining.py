"""A second customer with systems of its own, and everything that may move between the two."""

from __future__ import annotations

import pytest

from apps.canonical.models import (
    CanonicalLink,
    CanonicalRecord,
    CrossReference,
    CustomField,
    FieldQuestion,
    MatchQuestion,
    RecordMerge,
)
from apps.connectors.models import Connection
from apps.connectors.services import create_connection
from apps.customers.models import Environment
from apps.flows.models import Flow, Integration
from apps.sync.models import Checkpoint, RecordFailure, WriteIntent
from tests.sync.conftest import make_environment


@pytest.fixture
def other(partner, now) -> Environment:
    return make_environment(now, "southwind")


@pytest.fixture
def their_systems(other, owner_actor, now):
    return {
        role: create_connection(
            actor=owner_actor, now=now, environment=other, vendor=f"fake_{role}", name=role.upper(),
            settings={"account": f"their_{role}"}, secrets={},
        )
        for role in ("crm", "erp", "delivery")
    }  # fmt: skip


def fingerprint() -> tuple[object, ...]:
    """Everything that can move, but versions and the history, which only grow."""
    owners = ("customer_id", "environment_id")
    owned = [
        sorted(model.objects.values_list("pk", *owners, *fields), key=str)
        for model, fields in (
            (CanonicalRecord, ["title", "data", "match_keys", "created_at", "number", "state"]),
            (Connection, ["name"]),
            (Integration, ["name", "status"]),
            (Flow, ["is_enabled"]),
            (MatchQuestion, ["pair", "status", "left_id", "right_id"]),
            (FieldQuestion, ["field", "ours", "theirs", "record_id"]),
            (WriteIntent, ["status", "record_id"]),
            (RecordFailure, ["status", "record_id"]),
        )
    ]
    return (
        *owned,
        sorted(CrossReference.objects.values_list("id", "record_id", "external_id", "last_seen_hash", "seen"), key=str),
        sorted(CanonicalLink.objects.values_list("source_id", "name", "target_id"), key=str),
        sorted(CustomField.objects.values_list("only_for_id", "entity", "key"), key=str),
        sorted(Checkpoint.objects.values_list("flow_id", "stream", "position"), key=str),
        sorted(RecordMerge.objects.filter(undone_at=None).values_list("kept_id", "customer_id"), key=str),
    )
