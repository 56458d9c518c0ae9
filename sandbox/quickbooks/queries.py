"""The query language: one entity, conditions joined by AND, one order, a window. What it does not know is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.quickbooks.company import ENTITIES, NAME_LISTS, Company, JsonDict, Refused

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000
_STATEMENT = re.compile(
    r"^\s*SELECT\s+(?P<what>\*|COUNT\(\*\))\s+FROM\s+(?P<entity>\w+)"
    r"(?:\s+WHERE\s+(?P<where>.*?))?(?:\s+ORDER\s?BY\s+(?P<order>[\w.]+)(?:\s+(?P<direction>ASC|DESC))?)?"
    r"(?P<window>(?:\s+(?:STARTPOSITION|MAXRESULTS)\s+\d+)*)\s*;?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"^\s*([\w.]+)\s*(IN|<=|>=|=|<|>|LIKE)\s*(.+?)\s*$", re.IGNORECASE | re.DOTALL)
_FILTERABLE = {
    "Id", "MetaData.LastUpdatedTime", "MetaData.CreateTime", "Active", "Job", "DisplayName", "CompanyName", "DocNumber",
    "TxnDate", "DueDate", "TotalAmt", "Balance", "CustomerRef", "PaymentRefNum", "TxnStatus", "Name",
}  # fmt: skip


def run(company: Company, statement: str) -> JsonDict:
    """The QueryResponse; empty without matches, as QuickBooks answers."""
    match = _STATEMENT.match(statement)
    if not match:
        raise Refused("4000", "Error parsing query", f"QueryParserError: {statement[:80]}", type="QueryParserError")
    entity = match["entity"]
    if entity not in ENTITIES:
        detail = f"QueryValidationError: Entity {entity} is not queryable"
        raise Refused("4001", "Invalid query", detail, type="QueryValidationError")
    tests, fields = _conditions(match["where"] or "")
    items = [item for item in company.all(entity) if all(test(item) for test in tests)]
    if entity in NAME_LISTS and "Active" not in fields:
        items = [item for item in items if item["Active"]]
    items.sort(
        key=lambda item: _key(dig(item, match["order"] or "Id")), reverse=(match["direction"] or "").upper() == "DESC"
    )
    if "COUNT" in match["what"].upper():
        return {"totalCount": len(items)}
    start, size = _window(match["window"])
    found = items[start - 1 : start - 1 + size]
    return {entity: found, "startPosition": start, "maxResults": len(found)} if found else {}


def changed(company: Company, entity: str, since: str) -> list[JsonDict]:
    """Everything changed or deleted since then, newest first, whole; deleted objects as little more than ids."""
    if entity not in ENTITIES:
        raise Refused("4001", "Invalid query", f"QueryValidationError: {entity}", type="QueryValidationError")
    limit = moment(since)
    gone = company.account.objects(f"deleted:{entity}").values()
    held = [item for item in company.all(entity) if entity != "Item"]
    found = [item for item in (*held, *gone) if moment(item["MetaData"]["LastUpdatedTime"]) >= limit]
    return sorted(found, key=lambda item: moment(item["MetaData"]["LastUpdatedTime"]), reverse=True)


def dig(item: JsonDict, path: str) -> Any:
    value: Any = item
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value.get("value") if isinstance(value, dict) else value


def _conditions(where: str) -> tuple[list[Callable[[JsonDict], bool]], set[str]]:
    tests, fields = [], set()
    for part in re.split(r"\s+AND\s+", where, flags=re.IGNORECASE) if where.strip() else []:
        match = _CONDITION.match(part)
        if not match:
            raise Refused("4000", "Error parsing query", f"QueryParserError: {part}", type="QueryParserError")
        field, operator, raw = match[1].replace("Metadata.", "MetaData."), match[2].upper(), match[3]
        if field not in _FILTERABLE:
            detail = f"QueryValidationError: Property {field} not found for Entity"
            raise Refused("4001", "Invalid query", detail, type="QueryValidationError")
        fields.add(field)
        tests.append(_test(field, operator, raw))
    return tests, fields


def _test(field: str, operator: str, raw: str) -> Callable[[JsonDict], bool]:
    if operator == "IN":
        wanted = {_plain(part) for part in raw.strip("()").split(",")}
        return lambda item: str(dig(item, field)).lower() in {value.lower() for value in wanted}
    if operator == "LIKE":
        pattern = re.compile(re.escape(_plain(raw)).replace("%", ".*"), re.IGNORECASE)
        return lambda item: bool(pattern.fullmatch(str(dig(item, field) or "")))
    compare = {"=": "__eq__", "<": "__lt__", ">": "__gt__", "<=": "__le__", ">=": "__ge__"}[operator]
    wanted_key = _key(_plain(raw))
    return lambda item: bool(getattr(_key(dig(item, field)), compare)(wanted_key))


def _plain(raw: str) -> str:
    text = raw.strip()
    if text.startswith("'") and text.endswith("'"):
        text = text[1:-1].replace("\\'", "'").replace("\\\\", "\\")
    return text


def _key(value: Any) -> tuple[float, str]:
    """Moments and numbers by their worth, everything else as text."""
    text = str("" if value is None else value)
    try:
        return (float(text), "")
    except ValueError:
        pass
    try:
        return (moment(text).timestamp(), "") if "T" in text else (0.0, text.lower())
    except (ValueError, Refused):
        return (0.0, text.lower())


def moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Refused("4000", "Error parsing query", f"Invalid date: {text}", type="QueryParserError") from None
    return found.astimezone()


def _window(text: str) -> tuple[int, int]:
    """A page larger than allowed is cut without a word."""
    found = {name.upper(): int(value) for name, value in re.findall(r"(STARTPOSITION|MAXRESULTS)\s+(\d+)", text, re.I)}
    return max(1, found.get("STARTPOSITION", 1)), min(found.get("MAXRESULTS", DEFAULT_PAGE), LARGEST_PAGE)
