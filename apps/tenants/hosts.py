"""Which partner a host leads to: asked for every request, answered from memory for a few seconds.

What this process saves is forgotten at once; another process learns of it when its answer has grown old. So a suspension
takes effect within `PARTNER_LOOKUP_SECONDS` everywhere.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import transaction

from apps.tenants.models import Domain, Partner

# A made-up host is never kept, so the number of real ones bounds this; it is a guard, not a tuning knob.
MOST_HOSTS = 10_000


class HostDirectory:
    """Hosts and their partners, each remembered for `seconds`; `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, tuple[float, Partner]] = {}
        self._lock = threading.Lock()
        self._generation = 0

    def find(self, hostname: str, *, seconds: float) -> Partner:
        """Raises Domain.DoesNotExist. Every caller gets a copy: the request writes on it."""
        kept_until, partner = self._known.get(hostname, (0.0, None))
        if partner is None or kept_until <= self._clock():
            generation = self._generation
            partner = Domain.objects.select_related("tenant").get(domain=hostname).tenant
            self._keep(hostname, partner, generation, seconds)
        return copy.copy(partner)

    def _keep(self, hostname: str, partner: Partner, generation: int, seconds: float) -> None:
        with self._lock:
            # What was read before something changed must not be remembered after it.
            if generation == self._generation and seconds > 0:
                if len(self._known) >= MOST_HOSTS:
                    self._known.clear()
                self._known[hostname] = (self._clock() + seconds, partner)

    def forget(self) -> None:
        with self._lock:
            self._generation += 1
            self._known.clear()


directory = HostDirectory()


def find_partner(hostname: str) -> Partner:
    """Raises Domain.DoesNotExist."""
    return directory.find(hostname, seconds=settings.PARTNER_LOOKUP_SECONDS)


def forget_hosts(**kwargs: object) -> None:
    """This function will have the next request of every host ask again; a receiver of saved and deleted partners and hosts."""
    directory.forget()
    transaction.on_commit(directory.forget)
