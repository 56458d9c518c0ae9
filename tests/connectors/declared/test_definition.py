"""A definition that cannot work is refused with the place and the reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from apps.connectors.sdk.declared import InvalidDefinition, connector_type, parse_definition
from apps.connectors.sdk.declared.definition import PagingPart, filled
from apps.connectors.sdk.declared.streams import next_place, page_params, written_moment
from apps.connectors.sdk.error_table import VendorResponse
from apps.connectors.sdk.errors import FatalError
from tests.connectors.declared.harness import SOURCE


def changed(path: str, value: Any) -> str:
    """The example with one thing changed; `path` like objects.0.id. A value of None takes it out."""
    data = yaml.safe_load(SOURCE)
    *way, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    place = data
    for part in way:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return yaml.safe_dump(data)


@pytest.mark.parametrize(
    ("source", "place", "reason"),
    [
        ("a: &a {x: 1}\nb: {<<: [*a, *a, *a]}", "line 2", "aliases are not used here"),
        ("a: &a [*a]", "line 1", "aliases are not used here"),
        ("[" * 60 + "]" * 60, "line 1", "nested too deeply"),
        ("[" * 100_000, "line 1", "nested too deeply"),
        ("since: 2026-13-45", "", "month must be in 1..12"),
        ("number: " + "9" * 5000, "", "4300 digits"),
    ],
)
def test_a_text_that_would_grow_or_is_no_data_is_refused(source: str, place: str, reason: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        parse_definition(source)

    assert refused.value.place == place
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    ("path", "value", "place", "reason"),
    [
        ("base_url", "demo.kimai.example.com", "base_url", "beginning with https://"),
        ("base_url", "https://[demo", "base_url", "beginning with https://"),
        ("rate_limit", {"calls": 1, "seconds": float("inf")}, "rate_limit.seconds", "<= 86400"),
        ("domain", "hr", "domain", "Invalid enum value 'hr'"),
        ("objects", [], "objects", "length >= 1"),
        ("auth", {"kind": "header"}, "auth.name", "Name the header"),
        ("objects.0.entity", "customer", "objects[0].entity", "Choose one of account,"),
        (
            "objects.0.fields.colour",
            "record.color",
            "objects[0].fields.colour",
            "no such field. Choose from name, number, domain,",
        ),
        ("objects.0.fields.name", "record.name +", "objects[0].fields.name", ""),
        ("objects.0.list.path", "https://evil.example/", "objects[0].list.path", "begins with /"),
        ("objects.0.list.path", "/api/{team}", "objects[0].list.path", "There is no {team}"),
        ("objects.0.item.path", "/api/customers", "objects[0].item.path", "must hold {id}"),
        ("objects.0.item", None, "objects[0].item", "read back"),
        ("objects.0.writes", None, "objects[0].writes", "which fields are written"),
        (
            "objects.1.refs.owner",
            {"object": "people", "id": "record.x"},
            "objects[1].refs.owner",
            "no such reference. There is account, opportunity.",
        ),
        ("objects.1.refs.account", {"object": "nobody", "id": "record.x"}, "objects[1].refs.account", "one of this"),
        ("objects.1.name", "customers", "objects[0].name", "two objects named customers"),
        ("paging", {"kind": "page"}, "paging.parameter", "Name the parameter"),
        ("paging", {"kind": "cursor", "parameter": "c"}, "paging.next", "next cursor"),
        ("objects.0.lists", {}, "objects[0]", "unknown field `lists`"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(path: str, value: Any, place: str, reason: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        parse_definition(changed(path, value))

    assert refused.value.place == place
    assert reason in refused.value.reason


@pytest.mark.parametrize(("source", "place"), [("a: [", "line 1"), ("just a text", ""), ("x" * 100_001, "")])
def test_what_is_no_definition_at_all_is_refused(source: str, place: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        parse_definition(source)

    assert refused.value.place == place


def test_yaml_cannot_make_objects() -> None:
    with pytest.raises(InvalidDefinition, match="not YAML"):
        parse_definition("name: !!python/object/apply:os.system ['true']")


def test_a_value_cannot_leave_its_segment_of_the_path() -> None:
    assert filled("/clients/{id}/x", {"id": "../../admin?all=1"}) == "/clients/..%2F..%2Fadmin%3Fall%3D1/x"


def answer(data: Any, **headers: str) -> VendorResponse:
    return VendorResponse(status=200, headers=headers, content=b"", data=data)


@pytest.mark.parametrize(
    ("paging", "response", "place", "count", "following"),
    [
        (PagingPart(kind="none"), answer([]), {}, 9, None),
        (PagingPart(kind="page", parameter="p"), answer([]), {}, 3, {"page": 2}),
        (PagingPart(kind="page", parameter="p"), answer([]), {"page": 2}, 0, None),
        (PagingPart(kind="page", parameter="p", first=0, pages_header="X-Pages"), answer([], **{"x-pages": "2"}), {}, 3, {"page": 1}),
        (PagingPart(kind="page", parameter="p", first=0, pages_header="X-Pages"), answer([], **{"x-pages": "2"}), {"page": 1}, 3, None),
        (PagingPart(kind="offset", parameter="o"), answer([]), {"offset": 40}, 7, {"offset": 47}),
        (PagingPart(kind="cursor", parameter="c", next="meta.next"), answer({"meta": {"next": 12}}), {}, 3, {"cursor": "12"}),
        (PagingPart(kind="cursor", parameter="c", next="meta.next"), answer({"meta": {"next": 12}}), {"cursor": "12"}, 0, None),
        (PagingPart(kind="cursor", parameter="c", next="meta.next"), answer({"meta": {}}), {}, 3, None),
        (PagingPart(kind="link"), answer([], link='<https://x.example/a?p=2>; rel="next"'), {}, 3, {"link": "https://x.example/a?p=2"}),
        (PagingPart(kind="link"), answer([], link='<https://x.example/a>; rel="last"'), {}, 3, None),
    ],
)  # fmt: skip
def test_the_next_page(paging: PagingPart, response: VendorResponse, place: Any, count: int, following: Any) -> None:
    assert next_place(paging, response, place, 100, count) == following


def test_a_cursor_that_does_not_move_is_no_end_of_the_list() -> None:
    paging = PagingPart(kind="cursor", parameter="c", next="meta.next")

    with pytest.raises(FatalError, match="The cursor does not move"):
        next_place(paging, answer({"meta": {"next": 12}}), {"cursor": "12"}, 100, 3)


def test_parameters_of_a_page() -> None:
    paged = PagingPart(kind="page", parameter="page", size_parameter="size")

    assert page_params(paged, {"page": 3}, 50) == {"page": 3, "size": 50}
    assert page_params(PagingPart(kind="offset", parameter="o"), {}, 50) == {"o": 0}
    assert page_params(PagingPart(kind="cursor", parameter="c", next="n"), {}, 50) == {}


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("iso", "2026-11-02T09:00:00Z"),
        ("local", "2026-11-02T09:00:00"),
        ("date", "2026-11-02"),
        ("seconds", "1793610000"),
        ("milliseconds", "1793610000000"),
    ],
)
def test_moments_as_systems_want_them(form: str, written: str) -> None:
    assert written_moment(datetime(2026, 11, 2, 9, tzinfo=UTC), form) == written


def test_fields_that_no_log_may_keep_are_part_of_the_manifest() -> None:
    named = connector_type("custom:a", parse_definition(f"{SOURCE}\nredact: [hourly_rate, '*salary*']\n")).manifest
    silent = connector_type("custom:a", parse_definition(SOURCE)).manifest

    assert (named.redact, named.nothing_to_hide) == (("hourly_rate", "*salary*"), "")
    assert (silent.redact, silent.nothing_to_hide) == ((), "Whoever wrote it down names no field.")
    for wrong in ("'*'", "IBAN", "''"):
        with pytest.raises(InvalidDefinition) as caught:
            parse_definition(f"{SOURCE}\nredact: [{wrong}]\n")
        assert caught.value.place == "redact[0]"
