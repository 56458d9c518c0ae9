"""What of a record's data is repeated in columns, and the keys by which it is found when another system has it too."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, NamedTuple

from apps.canonical.names import SHARED_DOMAINS, domain_of, plain, skeleton

Data = dict[str, Any]
_PUNCTUATION = re.compile(r"[\s.\-/]")
_DATE_FIELDS = (
    "work_date", "spent_date", "usage_date", "issue_date", "paid_date", "earned_on", "close_date", "start_date",
    "due_date",
)  # fmt: skip


class Promoted(NamedTuple):
    title: str
    number: str
    state: str
    occurred_on: date | None


def promoted(data: Data) -> Promoted:
    number = str(data.get("number") or data.get("code") or "")
    day = next((data[name] for name in _DATE_FIELDS if data.get(name)), None)
    return Promoted(
        title=title_of(data),
        number=number[:80],
        state=str(data.get("status") or data.get("stage") or "")[:30],
        occurred_on=date.fromisoformat(day) if day else None,
    )


def title_of(data: Data) -> str:
    """What people call the record."""
    title = data.get("name") or data.get("number") or data.get("reference") or data.get("description") or ""
    return str(title)[:250]


def match_keys(entity: str, data: Data) -> list[str]:
    """What a record is looked up by when another system's might be the same. Sharing a key makes a candidate, no match.

    A number alone is none: every system counts from 1.
    """
    keys = {"name": skeleton(data.get("name"))}
    if entity == "account":
        keys["tax"] = tax_number(data)
        keys["domain"] = account_domain(data)
        keys["email"] = plain(data.get("email"))
    elif entity in ("contact", "resource"):
        keys["email"] = plain(data.get("email"))
    elif entity == "project":
        keys["code"] = plain(data.get("code"))
    else:
        return []
    return [f"{label}:{value}"[:300] for label, value in keys.items() if value]


def tax_number(data: Data) -> str:
    return _PUNCTUATION.sub("", str(data.get("tax_id") or "")).upper()


def account_domain(data: Data) -> str:
    """The domain, or the website's host: systems know one or the other. Mail providers' domains are nobody's."""
    found = domain_of(data.get("domain") or data.get("website") or data.get("email"))
    return "" if found in SHARED_DOMAINS else found
