"""Sending planned intents, window by window: committed as sent, called batch by batch, confirmed together.

A window is one batch at first, then as much as the vendor answers quickly: then our commits would be what costs time.
With a slow vendor it stays small, and so does what a crash leaves to be resolved. While the last stream is read, a
page's creates are such a window themselves: committed as sent along with the page, and called while the next page is
taken over, if that one has been read already.

Several batches of a window may be under way at once: a window holds at most one write to any record, and the next window
is taken when this one is confirmed.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from apps.canonical.references import by_record
from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.manifest import Resolve, SinkSpec
from apps.connectors.sdk.types import Sink, WriteRequest
from apps.connectors.services import may_call_beside
from apps.sync.engine.beside import Callers
from apps.sync.engine.claim import effects
from apps.sync.engine.confirm import Answer, take_answers
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.crashpoints import crash_here
from apps.sync.engine.intents import Intent, next_group, put_back, take_ready
from apps.sync.engine.renewal import renew

MOST = 1000
QUICK_SECONDS, LONG_SECONDS = 0.5, 2.0


@dataclass(frozen=True, slots=True)
class Window:
    """Intents committed as sent, with the ids of the objects to update."""

    system: BoundSystem
    sink: SinkSpec
    intents: list[Intent]
    external_ids: dict[UUID, str]

    @property
    def batch_size(self) -> int:
        return max(self.sink.batch_size, 1)

    @property
    def calls_at_once(self) -> int:
        return self.system.calls_at_once if self.sink.may_overlap else 1

    def request(self, intent: Intent) -> WriteRequest:
        external_id = self.external_ids.get(intent.record_id)
        return WriteRequest(key=intent.key, payload=intent.payload, external_id=external_id)


@dataclass(slots=True)
class Outcome:
    """What became of a window: answered, never called, and the error that ended it early."""

    answers: list[Answer]
    uncalled: list[Intent]
    error: Exception | None = None
    batches: int = 0
    seconds: float = 0.001

    def take_batch(self, size: int) -> list[Intent]:
        batch, self.uncalled = self.uncalled[:size], self.uncalled[size:]
        self.batches += 1
        return batch


@dataclass(frozen=True, slots=True)
class Flight:
    """A window that is being called by threads beside the run."""

    window: Window
    callers: Callers
    landing: Future[Outcome]

    def wait(self) -> Outcome:
        with self.callers:
            return self.landing.result()


class Sender:
    """Sends what a flow has planned. `left_out` collects intents that wait for another write to the same record."""

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.left_out: set[UUID] = set()
        self.batches = 0
        self._ahead: Window | None = None
        self._flight: Flight | None = None
        self._size = 0  # how many writes the vendor answers quickly

    def send_next(self) -> bool:
        """This method will send one window; False when nothing is left that could be sent now.

        Raises the connector's errors: then the outcome of the batch that failed is unknown, and `recover` finds out.
        """
        window, self._ahead = self._ahead or self._open(), None
        if window is None:
            return False
        if window.intents:
            self._send(window)
        return True

    def send_at_once(self, intents: list[Intent]) -> None:
        """This method will send creates that a page's transaction committed as sent. Raises like `send_next`.

        They may still be under way when it returns: `land` takes over what became of them.
        """
        reading = self.context.active
        try:
            self.land()
        except Exception:
            if intents:
                self._put_back(intents)
            raise
        if intents:
            system = self.context.system_of(intents[0].connection_id)
            window = Window(system, system.manifest.sink(intents[0].object_name), intents, {})
            # The first one tells how much the vendor answers quickly. A system that is being read from meanwhile would
            # be talked to by two threads at once.
            if self._size and system is not reading and may_call_beside(system.connection.vendor):
                self._launch(window)
            else:
                self._send(window, is_last=True)

    def land(self) -> None:
        """This method will wait for what is under way and take over what became of it. Raises like `send_next`."""
        flight, self._flight = self._flight, None
        if flight is not None:
            self._take_over(flight.window, flight.wait(), is_last=True)

    def abandon(self) -> None:
        """This method will wait for what is under way and leave what became of it to be found out by `recover`."""
        flight, self._flight = self._flight, None
        if flight is not None:
            flight.callers.close()

    def limit_at_once(self, sink: SinkSpec) -> int:
        return 0 if sink.resolve is Resolve.NONE else self._limit(sink)

    def stop(self) -> None:
        """This method will plan again what was prepared and is not going to be called."""
        if self._ahead is not None:
            self._put_back(self._ahead.intents)
            self._ahead = None

    def _put_back(self, intents: list[Intent]) -> None:
        with effects(self.context):
            put_back(intents)

    def _open(self) -> Window | None:
        if next_group(self.context.flow.pk, self.left_out) is None:
            return None
        with effects(self.context) as now:
            return self._prepare(now)

    def _prepare(self, now: datetime) -> Window | None:
        context = self.context
        group = next_group(context.flow.pk, self.left_out)
        if group is None:
            return None
        system = context.system_of(group.connection_id)
        sink = system.manifest.sink(group.object_name)
        limit = self._limit(sink)
        intents = take_ready(context, group, limit, self.left_out, now)
        intents = intents or renew(context, system, group, limit, self.left_out, now)
        references = by_record(system.connection.pk, [intent.record_id for intent in intents])
        ids = {record: found.external_id for (record, name), found in references.items() if name == sink.stream}
        return Window(system, sink, intents, ids)

    def _limit(self, sink: SinkSpec) -> int:
        batch = max(sink.batch_size, 1)
        # What nobody can resolve after a crash must not become more than one call.
        return batch if sink.resolve is Resolve.NONE else max(batch, self._size // batch * batch)

    def _send(self, window: Window, *, is_last: bool = False) -> None:
        crash_here("intents_sent")
        self._take_over(window, _call(window, _sinks(window)), is_last=is_last)

    def _launch(self, window: Window) -> None:
        crash_here("intents_sent")
        sinks, callers = _sinks(window), Callers(threads=1)
        self._flight = Flight(window, callers, callers.start(partial(_call, window, sinks)))

    def _take_over(self, window: Window, outcome: Outcome, *, is_last: bool) -> None:
        self.context.active = window.system
        self.batches += outcome.batches
        self._size = self._next_size(window, outcome)
        with effects(self.context) as now:
            take_answers(self.context, window.system, window.sink.name, outcome.answers, now)
            put_back(outcome.uncalled)
            crash_here("confirm_written")
            ahead = None if outcome.error or is_last else self._prepare(now)
        crash_here("confirmed")
        self._ahead = ahead
        if outcome.error:
            raise outcome.error

    def _next_size(self, window: Window, outcome: Outcome) -> int:
        answered = min(MOST, int(len(outcome.answers) * QUICK_SECONDS / outcome.seconds))
        if outcome.error or outcome.uncalled:
            return answered
        return max(answered, window.batch_size * window.calls_at_once)


def _sinks(window: Window) -> list[Sink] | Exception:
    """What the window is called with; an error is raised once what was never called is planned again."""
    count = min(window.calls_at_once, -(-len(window.intents) // window.batch_size))
    try:
        return [talk.sink(window.sink.name) for talk in window.system.conversations(count)]
    except Exception as error:  # noqa: BLE001 - see above
        return error


def _call(window: Window, sinks: list[Sink] | Exception) -> Outcome:
    """Calls until all are answered, one fails, or so much time has passed that what was answered shall be kept."""
    outcome, started = Outcome([], window.intents), time.monotonic()
    if isinstance(sinks, Exception):
        outcome.error = sinks
        return outcome
    with Callers(threads=len(sinks) if len(sinks) > 1 else 0) as callers:
        _call_all(window, sinks, callers, outcome, started)
    outcome.seconds = max(time.monotonic() - started, outcome.seconds)
    return outcome


def _call_all(window: Window, sinks: list[Sink], callers: Callers, outcome: Outcome, started: float) -> None:
    """Answers are taken in the order of the calls. After a failure those under way are still waited for."""
    under_way: deque[tuple[Sink, Future[list[Answer]]]] = deque()
    free = deque(sinks)
    while True:
        while free and outcome.uncalled and not outcome.error and _is_time_left(outcome, started):
            sink, batch = free.popleft(), outcome.take_batch(window.batch_size)
            under_way.append((sink, callers.start(partial(_write, sink, window, batch))))
        if not under_way:
            return
        sink, answering = under_way.popleft()
        _take(answering, outcome)
        free.append(sink)


def _is_time_left(outcome: Outcome, started: float) -> bool:
    return not outcome.batches or time.monotonic() - started <= LONG_SECONDS


def _write(sink: Sink, window: Window, batch: list[Intent]) -> list[Answer]:
    results = sink.write([window.request(intent) for intent in batch])
    if len(results) != len(batch):
        raise RuntimeError(f"{window.system.manifest.key}: {len(results)} results for {len(batch)} requests")
    return [Answer(intent, result.record, result.error) for intent, result in zip(batch, results, strict=True)]


def _take(answering: Future[list[Answer]], outcome: Outcome) -> None:
    try:
        answers = answering.result()
    except Exception as error:  # noqa: BLE001 - raised again once what was answered beside it is kept
        outcome.error = outcome.error or error
        return
    crash_here("vendor_called")
    outcome.answers += answers
    outcome.error = outcome.error or first_unknown(answers)


def first_unknown(answers: list[Answer]) -> Exception | None:
    """An answer that is neither record nor refusal: nobody knows what became of that write."""
    return next((a.error for a in answers if a.error and not isinstance(a.error, RecordRejected)), None)
