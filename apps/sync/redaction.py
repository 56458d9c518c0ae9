"""What the log keeps of the values it saw. Decided in one place, before anything is written: what is hidden was never kept.

A rule names a field: `iban`, `*phone*`, or of one entity only `contact.email`. It also holds within nested values. The
pseudo-field `title` is the name under which the log tells of a record. Rules are ours (below), the connector's
(`redact` in its manifest) and the partner's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.connectors.sdk.redaction import MASK, redact
from apps.core.bulk import json_text
from apps.core.planes import require_tenant_schema
from apps.sync.models import LogSettings

ALWAYS_HIDDEN = (
    "*password*", "*passwd*", "*secret*", "*token*", "*api_key*", "*apikey*", "*private_key*", "*iban*", "*bank_account*",
    "*account_number*", "*card_number*", "*cvv*", "*cvc*", "*ssn*", "*social_security*", "*passport*", "*date_of_birth*",
)  # fmt: skip
TITLE = "title"
# Values that are secrets whatever field they stand in: signed tokens, bearer credentials, bank accounts, card numbers.
_SHORTEST = 13
# Written so that the search skips quickly over what cannot be meant: each begins with one set of signs.
_SUSPECT_IBAN = re.compile(r"[A-Z][A-Z][0-9][0-9] ?[A-Z0-9]{4}")
_SUSPECT_CARD = re.compile(r"[0-9][0-9]{3}[ -]?[0-9]{4,6}[ -]?[0-9]{3}")
_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.|\bBearer\s+\S{12,}", re.IGNORECASE)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_CARD = re.compile(r"\b(?:4\d{3}|5[1-5]\d{2}|3[47]\d{2}|6011)(?:[ -]?\d){9,12}\b")


@dataclass(frozen=True, slots=True)
class PayloadRules:
    """How the values of one connection are kept. `is_kept` False: not at all."""

    patterns: tuple[str, ...] = ALWAYS_HIDDEN
    is_kept: bool = True
    _known: dict[tuple[str, str], bool] = field(default_factory=dict, compare=False)
    _shapes: dict[tuple[str, tuple[str, ...]], bool] = field(default_factory=dict, compare=False)

    def hides(self, entity: str, name: str) -> bool:
        known = self._known.get((entity, name))
        if known is None:
            said = name.lower(), f"{entity}.{name}".lower()
            known = any(fnmatchcase(text, pattern) for pattern in self.patterns for text in said)
            self._known[entity, name] = known
        return known

    def hide_diff(self, entity: str, diff: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
        """{field: [before, after]} without hidden values; that one was or was not there still shows."""
        if not self._hides_any(entity, tuple(diff)) and not self._holds_any(entity, diff.values()):
            return diff
        return {name: [self.hide(entity, name, value) for value in pair] for name, pair in diff.items()}

    def diff_text(self, entity: str, diff: Mapping[str, list[Any]]) -> str:
        """The same as JSON. Nearly always there is nothing to hide, and thousands of these are written in a second."""
        text = json_text(diff)
        has_names_within = text.count("{") > 1
        if has_names_within or self._hides_any(entity, tuple(diff)) or _is_suspect(text):
            return json_text(self.hide_diff(entity, diff))
        return text

    def _hides_any(self, entity: str, names: tuple[str, ...]) -> bool:
        known = self._shapes.get((entity, names))
        if known is None:
            known = self._shapes[entity, names] = any(self.hides(entity, name) for name in names)
        return known

    def _holds_any(self, entity: str, values: Iterable[Any]) -> bool:
        for value in values:
            kind = value.__class__
            if kind is str:
                if len(value) >= _SHORTEST and is_secret(value):
                    return True
            elif kind is list:
                if self._holds_any(entity, value):
                    return True
            elif kind is dict and (self._hides_any(entity, tuple(value)) or self._holds_any(entity, value.values())):
                return True
        return False

    def hide_values(self, entity: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.hide(entity, name, value) for name, value in values.items()}

    def hide_text(self, text: str, values: Mapping[str, Any]) -> str:
        """What a system says about `values`, without the hidden ones: many repeat what they refuse.

        Rules of any entity count here, as nobody says of which one the values are.
        """
        return redact(text, set(self._hidden_texts(values, is_hidden=False)))

    def _hidden_texts(self, value: Any, *, is_hidden: bool) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from self._hidden_texts(inner, is_hidden=is_hidden or self._may_hide(str(name)))
        elif isinstance(value, list):
            for item in value:
                yield from self._hidden_texts(item, is_hidden=is_hidden)
        elif value and (is_hidden or (isinstance(value, str) and is_secret(value))):
            yield str(value)

    def _may_hide(self, name: str) -> bool:
        return any(
            fnmatchcase(name.lower(), part) for rule in self.patterns for part in (rule, rule.rpartition(".")[2])
        )

    def hide(self, entity: str, name: str, value: Any) -> Any:
        if value is None or value == "":
            return value
        return MASK if self.hides(entity, name) else self._within(entity, value)

    def _within(self, entity: str, value: Any) -> Any:
        if isinstance(value, str):
            return MASK if len(value) >= _SHORTEST and is_secret(value) else value
        if isinstance(value, dict):
            return self.hide_values(entity, value)
        return [self._within(entity, item) for item in value] if isinstance(value, list) else value


def _is_suspect(text: str) -> bool:
    """Whether a closer look is worth its time."""
    return (
        "eyJ" in text
        or "earer " in text
        or _SUSPECT_IBAN.search(text) is not None
        or _SUSPECT_CARD.search(text) is not None
    )


def is_secret(text: str) -> bool:
    """Whether the text holds something that must not be kept, whatever its field is called."""
    if not _is_suspect(text):
        return False
    if _TOKEN.search(text):
        return True
    if any(_is_iban(found.group()) for found in _IBAN.finditer(text)):
        return True
    return any(_passes_luhn(found.group()) for found in _CARD.finditer(text))


def _is_iban(text: str) -> bool:
    """ISO 13616: the number of its characters, the first four at the end, leaves 1 when divided by 97."""
    packed = text.replace(" ", "")
    return 15 <= len(packed) <= 34 and int("".join(str(int(sign, 36)) for sign in packed[4:] + packed[:4])) % 97 == 1


def _passes_luhn(text: str) -> bool:
    digits = [int(sign) for sign in text if sign.isdigit()][::-1]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


_rules: dict[tuple[str, UUID], tuple[float, PayloadRules]] = {}


def payload_rules(connection_ids: Iterable[UUID]) -> dict[UUID, PayloadRules]:
    """For each connection; read again every few seconds."""
    schema, now = require_tenant_schema(), time.monotonic()
    wanted = set(connection_ids)
    known = {pk: found for pk in wanted if (found := _rules.get((schema, pk))) and found[0] > now}
    missing = wanted - known.keys()
    if missing:
        fresh = _read(missing)
        known |= {pk: (now + settings.LOG_SETTINGS_SECONDS, rules) for pk, rules in fresh.items()}
        _rules.update({((schema, pk), known[pk]) for pk in fresh})
    return {pk: rules for pk, (_, rules) in known.items()}


def _read(connection_ids: set[UUID]) -> dict[UUID, PayloadRules]:
    own = LogSettings.objects.first() or LogSettings()
    vendors = dict(Connection.objects.filter(pk__in=connection_ids).values_list("pk", "vendor"))
    return {
        pk: PayloadRules(
            patterns=(*ALWAYS_HIDDEN, *(_manifest_rules(vendors[pk]) if pk in vendors else ()), *own.hidden_fields),
            is_kept=own.keeps_payloads and pk not in own.payload_free_connections,
        )
        for pk in connection_ids
    }


def _manifest_rules(vendor: str) -> tuple[str, ...]:
    try:
        return get_manifest(vendor).redact
    except LookupError:
        return ()  # the connector is gone; what it once brought is still told of
