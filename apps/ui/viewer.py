"""How the viewer reads: language and time zone. Django looks each of them up in some microseconds, a list needs them by the
hundred."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import tzinfo

from django.utils import timezone
from django.utils.translation import get_language

_kept: ContextVar[tuple[str, tzinfo] | None] = ContextVar("viewer", default=None)


def current_locale() -> str:
    kept = _kept.get()
    return kept[0] if kept else _ask_locale()


def current_zone() -> tzinfo:
    kept = _kept.get()
    return kept[1] if kept else timezone.get_current_timezone()


@contextmanager
def one_viewer() -> Iterator[None]:
    """Within the block both stay what they are now: for a list, whose rows one person reads."""
    token = _kept.set((_ask_locale(), timezone.get_current_timezone()))
    try:
        yield
    finally:
        _kept.reset(token)


def _ask_locale() -> str:
    return (get_language() or "en").replace("-", "_").split("_")[0]
