"""Two people who add a rule at the same moment."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from apps.core.actor import Actor
from apps.core.planes import tenant_plane
from apps.monitoring.models import ExceptionRule
from apps.monitoring.services import rules
from tests.factories.at_once import SCHEMA, at_once
from tests.factories.kept import put_back

A_MOMENT = 0.1


def test_two_rules_of_one_name_have_two_keys(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, owner_actor: Actor, now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    original = rules.record_change

    def late(**given: Any) -> Any:
        time.sleep(A_MOMENT)
        return original(**given)

    monkeypatch.setattr(rules, "record_change", late)
    draft = rules.RuleDraft(name="Late", entity="invoice", condition='record.status == "open"')
    with django_db_blocker.unblock(), tenant_plane(SCHEMA), put_back():
        told = at_once(*[partial(rules.add_rule, actor=owner_actor, now=now, draft=draft)] * 2)

        assert told == ["", ""]
        assert sorted(ExceptionRule.objects.filter(name="Late").values_list("key", flat=True)) == ["late", "late-2"]
