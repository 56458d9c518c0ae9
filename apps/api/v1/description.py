"""The API's description: OpenAPI 3.1, and pages rendered from it in the partner's brand."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator

from apps.accounts.access import Audience, requires
from apps.api.problems import problem_page

PREFIX = "/api/v1"
_METHODS = ("get", "post", "patch", "put", "delete")


@cache
def build_description() -> dict[str, Any]:
    """The description without the partner's own address: the same for all, made once per process."""
    # By name: the URLs import this module.
    generator = SchemaGenerator(urlconf="apps.api.v1.urls")  # type: ignore[no-untyped-call]
    description: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    paths = {f"{PREFIX}{path}": operations for path, operations in description["paths"].items()}
    return {**description, "paths": paths}


@requires(Audience.ANYONE)
def openapi(request: HttpRequest) -> JsonResponse:
    return JsonResponse({**build_description(), "servers": [{"url": f"{request.scheme}://{request.get_host()}"}]})


@requires(Audience.ANYONE)
def docs(request: HttpRequest) -> HttpResponse:
    address = f"{request.scheme}://{request.get_host()}{PREFIX}"
    first_call = f'curl {address}/customers \\\n  -H "Authorization: Bearer pk_…"'
    return render(request, "api/docs.html", {"groups": _groups(build_description()), "first_call": first_call})


# Machines hold no token of our pages, and are to read that the address is wrong, not that a form expired.
@csrf_exempt
@requires(Audience.ANYONE)
def unknown_address(request: HttpRequest, anything: str) -> JsonResponse:
    return problem_page(request, 404, "not_found", f"There is nothing at /api/v1/{anything}. See /api/v1/docs.")


def _groups(description: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    schemas = description["components"]["schemas"]
    for path, operations in description["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                groups.setdefault(operation["tags"][0], []).append(_entry(path, method, operation, schemas))
    return groups


def _entry(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    summary, _, rest = operation.get("description", "").partition("\n\n")
    return {
        "anchor": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": summary,
        "scope": rest.removeprefix("Scope: `").removesuffix("`"),
        "parameters": [
            {
                **parameter,
                "told": _plain(parameter.get("description", "")),
                "values": _values(parameter["schema"], schemas),
            }
            for parameter in operation.get("parameters", [])
        ],
        "fields": _fields(operation, schemas),
        "example": _example(operation),
    }


def _fields(operation: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    """What the JSON body may hold, fields that must be there first."""
    schema = _resolved(_json_body(operation).get("schema", {}), schemas)
    required = schema.get("required", [])
    fields = [
        {
            "name": name,
            "is_required": name in required,
            "told": _plain(field.get("description", "")),
            "values": _values(field, schemas),
        }
        for name, field in schema.get("properties", {}).items()
    ]
    return sorted(fields, key=lambda field: not field["is_required"])


def _example(operation: dict[str, Any]) -> str:
    """A body as one would send it; empty where there is none."""
    examples = list(_json_body(operation).get("examples", {}).values())
    return json.dumps(examples[0]["value"], indent=2, ensure_ascii=False) if examples else ""


def _json_body(operation: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return body


def _values(schema: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    """The only values there are; of a list, those of its items. Empty where anything goes."""
    schema = _resolved(schema, schemas)
    schema = _resolved(schema.get("items", schema), schemas)
    kinds = [_resolved(kind, schemas) for kind in schema.get("oneOf", [schema])]
    return [str(value) for kind in kinds for value in kind.get("enum", []) if value not in (None, "")]


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, where another place is named for it."""
    (named,) = schema.get("allOf", [schema])[:1]
    found: dict[str, Any] = schemas.get(named.get("$ref", "").rpartition("/")[2], schema)
    return found


def _plain(description: str) -> str:
    """The first paragraph, without the marks of code."""
    return description.partition("\n\n")[0].replace("`", "")
