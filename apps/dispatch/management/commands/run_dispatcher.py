"""The dispatcher: listens for new work, polls as a safety net, claims fairly, hands to Celery."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta
from typing import Any

import psycopg
import structlog
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from apps.core import clock
from apps.dispatch.backlog import BrokerUnavailable
from apps.dispatch.models import WorkItem
from apps.dispatch.services import CHANNEL, POLL, dispatch_due

log = structlog.get_logger()
# Waiting for notices talks to the driver itself, whose errors nobody translates.
DATABASE_LOST = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
POLL_SECONDS = POLL.total_seconds()
LOOK_SECONDS = 0.01
BROKER_SECONDS = 0.5


class Command(BaseCommand):
    help = "Claims due work of all partners and hands it to the workers."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            try:
                self._listen(stop)
            except DATABASE_LOST:
                # The database went away; every row and lease is still there when it is back.
                log.warning("dispatcher.database_unavailable")
                connection.close()
                stop.wait(POLL_SECONDS)

    def _listen(self, stop: threading.Event) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        while not stop.is_set():
            while self._dispatch(stop):
                pass
            for _ in connection.connection.notifies(timeout=self._wait_seconds(), stop_after=1):
                pass

    def _dispatch(self, stop: threading.Event) -> int:
        try:
            return dispatch_due(now=clock.now())
        except BrokerUnavailable:
            log.warning("dispatcher.broker_unavailable")
            stop.wait(BROKER_SECONDS)
            return 0

    def _wait_seconds(self) -> float:
        next_due = WorkItem.objects.filter(lease_until=None).order_by("due_at").values_list("due_at", flat=True).first()
        if next_due is None:
            return POLL_SECONDS
        ahead = (next_due - clock.now()) / timedelta(seconds=1)
        # Due already: the workers have enough ahead of them, and nobody tells when they have less.
        return min(max(ahead, LOOK_SECONDS), POLL_SECONDS)
