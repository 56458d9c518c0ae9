"""Names made comparable: without case, accents, punctuation and legal forms; and a skeleton that survives typos."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache

_WORDS = re.compile(r"[^\W_]+")
_NUMBERS = re.compile(r"\d+")
_WITHOUT_VOWELS = str.maketrans("", "", "aeiouy")
_REPEATED = re.compile(r"(.)\1+")
_SPELLED = str.maketrans({"ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe"})
LEGAL_FORMS = frozenset(
    [
        "ab",
        "ag",
        "aps",
        "as",
        "bv",
        "co",
        "company",
        "corp",
        "corporation",
        "ev",
        "gbr",
        "ggmbh",
        "gmbh",
        "inc",
        "incorporated",
        "kg",
        "kgaa",
        "kk",
        "limited",
        "llc",
        "llp",
        "ltd",
        "mbh",
        "nv",
        "oy",
        "oyj",
        "ohg",
        "plc",
        "pte",
        "pty",
        "sa",
        "sarl",
        "sas",
        "se",
        "sl",
        "slu",
        "spa",
        "spzoo",
        "srl",
        "ug",
    ]
)
# Mail providers: their domain says nothing about who somebody works for.
SHARED_DOMAINS = frozenset(
    [
        "aol.com",
        "gmail.com",
        "gmx.at",
        "gmx.ch",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mail.com",
        "me.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "t-online.de",
        "web.de",
        "yahoo.com",
    ]
)


def plain(value: object) -> str:
    """Without case, accents' spelling and double spaces."""
    text = str(value or "")
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.split()).casefold()


def core_name(value: object) -> str:
    """“Müller & Söhne GmbH” → “muller sohne”: words in their order, without accents and legal forms."""
    return _core_name(str(value or ""))


@lru_cache(maxsize=8192)
def _core_name(value: str) -> str:
    text = plain(value).replace(".", "")
    if not text.isascii():
        text = text.translate(_SPELLED)
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    words = _WORDS.findall(text)
    return " ".join([word for word in words if word not in LEGAL_FORMS] or words)


def skeleton(value: object) -> str:
    """The words' consonants in alphabetical order: the same for “Volcan Industris” and “Industries, Vulcan”."""
    return _skeleton(core_name(value))


@lru_cache(maxsize=8192)
def _skeleton(name: str) -> str:
    return " ".join(sorted(filter(None, map(_bones, name.split()))))


def _bones(word: str) -> str:
    if not word.isalpha() and any(map(str.isdigit, word)):
        return word  # a number has no typos to forgive: 112 is not 12
    return _REPEATED.sub(r"\1", word[0] + word[1:].translate(_WITHOUT_VOWELS))


def similarity(left: object, right: object) -> float:
    """0 to 1, whatever the order of words; names with different numbers in them are different names."""
    first, second = (" ".join(sorted(core_name(value).split())) for value in (left, right))
    if first == second:
        return 1.0 if first else 0.0
    if _NUMBERS.findall(first) != _NUMBERS.findall(second):
        return 0.0
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def domain_of(value: object) -> str:
    """The host of an address, a website or an e-mail address, without www."""
    text = str(value or "").strip().lower().rpartition("@")[2]
    host = text.rpartition("://")[2].partition("/")[0].partition(":")[0]
    return host.removeprefix("www.")


def digits(value: object) -> str:
    """A telephone number's last nine digits: country and trunk prefixes are written in many ways."""
    found = re.sub(r"\D", "", str(value or ""))
    return found[-9:] if len(found) >= 6 else ""
