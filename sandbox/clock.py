"""Each account lives in its own time: it can be set anywhere, and moves on from there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    def __init__(self, offset_seconds: float = 0.0) -> None:
        self.offset_seconds = offset_seconds

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset_seconds)

    def set(self, moment: datetime | None) -> None:
        """Jump to `moment` (None: back to real time); the clock keeps moving."""
        self.offset_seconds = (moment - datetime.now(UTC)).total_seconds() if moment else 0.0


def parse_time(text: str) -> datetime:
    """An ISO 8601 moment; without an offset it is UTC."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def iso_millis(moment: datetime) -> str:
    """`2026-11-22T21:30:58.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
