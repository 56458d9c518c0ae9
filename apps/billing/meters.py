"""What can be metered. A meter's name is stored on usage events and prices; it never changes its meaning."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.errors import AnticipatedError


@dataclass(frozen=True, slots=True)
class Meter:
    """`unit` is what one quantity is, in the plural, as an invoice line prints it."""

    key: str
    label: str
    unit: str


METERS = {
    meter.key: meter
    for meter in (
        Meter("records_synced", "Records kept in step", "records"),
        Meter("flow_runs", "Flow runs", "runs"),
    )
}


class UnknownMeter(AnticipatedError):
    """A price or usage event names a meter that does not exist."""

    code = "unknown_meter"


def get_meter(key: str) -> Meter:
    """Raises UnknownMeter."""
    if key not in METERS:
        raise UnknownMeter("Choose one of the listed meters.", field="meter")
    return METERS[key]
