"""JSON as it may come in: what no database can hold, or no parser survives, is bad input and not a crash."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

LARGEST = 2**63 - 1
DEEPEST = 64
# Null characters and halves of a pair: text that can neither be stored nor encoded.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StorableJsonParser(JSONParser):
    """JSON of numbers that fit 64 bits, of text that can be stored, at most `DEEPEST` levels deep."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            text = stream.read().decode("utf-8")
            data = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_refused)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"This is not JSON: {error}") from error
        for one, depth in _walk(data):
            if depth > DEEPEST:
                raise ParseError("The JSON is nested too deeply.")
            if isinstance(one, str) and UNSTORABLE.search(one):
                raise ParseError("The JSON holds a null character, or half of a surrogate pair.")
        return data


def _walk(data: Any) -> Iterator[tuple[Any, int]]:
    """Every name and value with its depth, without recursion."""
    left = [(data, 1)]
    while left:
        one, depth = left.pop()
        yield one, depth
        if isinstance(one, dict):
            left += [(part, depth + 1) for pair in one.items() for part in pair]
        elif isinstance(one, list):
            left += [(part, depth + 1) for part in one]


def _whole(digits: str) -> int:
    # Longer ones are not even worth converting, which takes a time that grows with the square.
    if len(digits) > 20 or abs(int(digits)) > LARGEST:
        raise ValueError("a number is too large.")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large.")
    return number


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number.")
