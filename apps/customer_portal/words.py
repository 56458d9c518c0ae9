"""Business language: how the portal counts, joins and names things."""

from __future__ import annotations

from collections.abc import Sequence

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def spell(count: int) -> str:
    """Small numbers as words, others in digits."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else f"{count:,}"


def join_words(words: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def count_of(count: int, singular: str, plural: str = "") -> str:
    """`one record`, `14 records`."""
    return f"{spell(count)} {singular if count == 1 else plural or f'{singular}s'}"


def spell_field(name: str) -> str:
    """`tax_id` as people say it."""
    known = {"tax_id": "tax number", "email": "e-mail address"}
    return known.get(name, name.removeprefix("x_").replace("_", " "))


def begin(sentence: str) -> str:
    """The sentence with a capital first letter, the rest untouched."""
    return sentence[:1].upper() + sentence[1:]
