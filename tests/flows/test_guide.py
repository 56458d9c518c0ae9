"""Every example of the guide to the flow language is one that the parser takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from apps.flows.checks import SERVICES
from apps.flows.definition import SETTING_TYPES, parse_template
from apps.flows.sources import SourceLoader
from apps.flows.words import CONFLICT_POLICIES, CUSTOMER_ROLES, DELETE_POLICIES, STAFF_ROLES, TRIGGERING_EVENTS

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "guides" / "flow-language.md").read_text()
EXAMPLES = re.findall(r"```(\w+)(?: (\w+))?\n(.*?)```", GUIDE, re.DOTALL)
ROLES = {role: {"domain": role, "label": role} for role in ("crm", "erp", "delivery", "billing")}


def as_template(kind: str, example: Any) -> dict[str, Any]:
    if kind == "template":
        return dict(example)
    parts = {
        "rule": {"rules": [example]}, "aggregate": {"aggregate": [example]}, "triggers": {"triggers": example},
        "policies": example,
    }  # fmt: skip
    flow = {"key": "example", "name": "Example", "description": "", **parts[kind]}
    return {
        "key": "example", "version": "1.0.0", "name": "Example", "summary": "", "documentation": "", "roles": ROLES,
        "flows": [flow],
    }  # fmt: skip


@pytest.mark.parametrize(
    "language, kind, text", EXAMPLES, ids=[f"{kind}{n}" for n, (_, kind, _) in enumerate(EXAMPLES)]
)
def test_an_example_is_taken(language, kind, text):
    assert language == "yaml"
    example = yaml.load(text, Loader=SourceLoader)  # noqa: S506 - a SafeLoader

    parse_template(as_template(kind, example), file="flow-language.md")


def test_every_action_and_every_word_is_shown():
    rules = [yaml.load(text, Loader=SourceLoader) for _, kind, text in EXAMPLES if kind == "rule"]  # noqa: S506
    actions = {"derive", "update", "write", "call", "notify", "approve", "per", "gather"}
    assert actions <= {name for rule in rules for name in rule}
    policies = (*CONFLICT_POLICIES, *DELETE_POLICIES)
    for word in (*SERVICES, *TRIGGERING_EVENTS, *STAFF_ROLES, *CUSTOMER_ROLES, *SETTING_TYPES, *policies):
        assert f"`{word}`" in GUIDE
