"""The part of OData that a list understands: `$filter`, `$top`, `$expand`, and pages behind a link."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.account import Account
from sandbox.business_central.records import Row, entity_of, refusal

CLAUSE = re.compile(r"^(\w+) (eq|ge|gt|le|lt) (?:'((?:[^']|'')*)'|(\S+))$")
BEGINS = re.compile(r"^startswith\((\w+), ?'((?:[^']|'')*)'\)$")
TESTS = {
    "eq": lambda a, b: a == b, "ge": lambda a, b: a >= b, "gt": lambda a, b: a > b, "le": lambda a, b: a <= b,
    "lt": lambda a, b: a < b,
}  # fmt: skip
LARGEST_PAGE = 20_000


def listing(account: Account, name: str, args: Mapping[str, str], *, size: int, url: str) -> Row:
    """One page in the order of ids, as the server pages by key; `url` is where the next one is asked for."""
    rows = sorted(account.objects(name).values(), key=lambda row: row["id"])
    rows = [row for row in rows if matches(name, row, args.get("$filter", ""))]
    after = args.get("$skiptoken", "")
    rows = [row for row in rows if row["id"] > after][: int(args.get("$top") or LARGEST_PAGE)]
    page = rows[: min(size, int(account.setting("largest_page", LARGEST_PAGE)))]
    answer: Row = {"@odata.context": f"$metadata#{name}", "value": [shown(name, row, args) for row in page]}
    if len(page) < len(rows):
        query = {**args, "$skiptoken": page[-1]["id"]}
        answer["@odata.nextLink"] = f"{url}?{urlencode(query)}"
    return answer


def shown(name: str, row: Row, args: Mapping[str, str]) -> Row:
    """Navigation properties only where they were asked for."""
    expanded = set(args.get("$expand", "").split(","))
    hidden = {*entity_of(name).children, "contactsInformation"} - expanded
    return {key: value for key, value in row.items() if key not in hidden}


def matches(name: str, row: Row, condition: str) -> bool:
    return all(clause(name, row, part) for part in condition.split(" and ")) if condition else True


def clause(name: str, row: Row, text: str) -> bool:
    begins = BEGINS.match(text.strip())
    if begins is not None:
        return str(row.get(begins[1], "")).startswith(begins[2].replace("''", "'"))
    found = CLAUSE.match(text.strip())
    if found is None:
        raise refusal("BadRequest", f"Syntax error in filter '{text}'.")
    field, operator, quoted, bare = found.groups()
    if field not in row:
        raise refusal("BadRequest", f"Could not find a property named '{field}' on type 'Microsoft.NAV.{name}'.")
    wanted: Any = quoted.replace("''", "'") if quoted is not None else bare
    return bool(TESTS[operator](row[field], wanted))
