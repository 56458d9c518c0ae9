"""What of a record's data is repeated in columns, and the exact keys by which it is recognized elsewhere."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any, NamedTuple

Data = dict[str, Any]
_SPACE = re.compile(r"\s+")
_DATE_FIELDS = (
    "work_date", "spent_date", "usage_date", "issue_date", "paid_date", "close_date", "start_date", "due_date",
)  # fmt: skip


class Promoted(NamedTuple):
    title: str
    number: str
    state: str
    occurred_on: date | None


def promoted(data: Data) -> Promoted:
    number = str(data.get("number") or data.get("code") or "")
    title = str(data.get("name") or data.get("number") or data.get("reference") or data.get("description") or "")
    day = next((data[name] for name in _DATE_FIELDS if data.get(name)), None)
    return Promoted(
        title=title[:250],
        number=number[:80],
        state=str(data.get("status") or data.get("stage") or "")[:30],
        occurred_on=date.fromisoformat(day) if day else None,
    )


def match_keys(entity: str, data: Data) -> list[str]:
    """Only exact keys: two systems' records that share one are the same thing, unless several claim it.

    A number or a name alone never is one: every system counts from 1, and names repeat.
    """
    if entity == "account":
        return _account_keys(data)
    if entity in ("contact", "resource"):
        email = plain(data.get("email"))
        return [f"email:{email}"] if email else []
    if entity == "project":
        code = plain(data.get("code"))
        return [f"code:{code}"] if code else []
    return []


def _account_keys(data: Data) -> list[str]:
    name = plain(data.get("name"))
    keys = {"tax": re.sub(r"[\s.\-/]", "", str(data.get("tax_id") or "")).upper()}
    if name:
        for label, value in (("domain", _domain(data)), ("email", data.get("email")), ("number", data.get("number"))):
            keys[label] = f"{plain(value)}|{name}" if value else ""
    return [f"{label}:{value}"[:300] for label, value in keys.items() if value]


def _domain(data: Data) -> str:
    """The domain, or the website's host: systems know one or the other."""
    given = str(data.get("domain") or data.get("website") or "").strip().lower()
    host = re.sub(r"^[a-z]+://", "", given).split("/")[0].split(":")[0]
    return host.removeprefix("www.")


def plain(value: object) -> str:
    """Without case, accents' spelling and double spaces."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", str(value or ""))).strip().casefold()
