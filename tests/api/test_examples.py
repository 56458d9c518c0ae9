"""Every request body has an example, and each example is taken by what reads such bodies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.drainage import reset_generator_stats
from rest_framework import serializers

from apps.api import examples
from apps.api.v1.description import build_description
from apps.flows.configuration import read_customer
from apps.flows.sources import read_template_source
from apps.monitoring.services.rules import RuleDraft, check_draft


def bodies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each request body: where it is sent, as what, and its content."""
    for path, operations in build_description()["paths"].items():
        for method, operation in operations.items():
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                yield f"{method} {path}", kind, content


def known_serializers() -> dict[str, type[serializers.Serializer[Any]]]:
    """By the name under which the description has them."""
    found: dict[str, type[serializers.Serializer[Any]]] = {}
    left: list[type[Any]] = [serializers.Serializer]
    while left:
        for kind in left.pop().__subclasses__():
            left.append(kind)
            if kind.__module__.startswith("apps.api."):
                found[kind.__name__.removesuffix("Serializer")] = kind
    return found


def test_it_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    build_description.cache_clear()
    reset_generator_stats()

    build_description()

    assert capsys.readouterr().err == ""


def test_every_request_body_has_an_example() -> None:
    assert [(place, kind) for place, kind, content in bodies() if not content.get("examples")] == []


def test_every_example_is_taken_by_its_own_serializer() -> None:
    known, wrong = known_serializers(), []
    for place, kind, content in bodies():
        if kind != "application/json":
            continue
        name = content["schema"]["$ref"].rpartition("/")[2]
        reader = known[name.removeprefix("Patched")]
        for example in content.get("examples", {}).values():
            given = reader(data=example["value"], partial=name.startswith("Patched"))
            if not given.is_valid() or not set(example["value"]) <= set(given.fields):
                wrong.append((place, given.errors))

    assert wrong == []


def test_no_example_is_left_over() -> None:
    known = known_serializers()

    assert [name for name in examples.EXAMPLES if name.removesuffix("Serializer") not in known] == []


def test_the_texts_within_are_whole() -> None:
    assert read_template_source(examples.TEMPLATE)[0]["key"] == "custom-deals"
    assert read_customer(examples.CONFIGURATION)[1].customer == "lakeside"
    check_draft(RuleDraft(**examples.RULE))
