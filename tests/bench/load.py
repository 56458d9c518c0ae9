"""A client that costs little: requests made beforehand, sent over keep-alive sockets from a few threads."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

from tests.bench.measures import percentile


class Load:
    """Sends every request once over `clients` connections; `pace` spreads them evenly (requests per second)."""

    def __init__(self, port: int, requests: Sequence[bytes], *, clients: int = 8, pace: float | None = None) -> None:
        self.port, self.requests, self.clients, self.pace = port, requests, clients, pace
        self.latencies: list[float] = []
        self.failures: list[bytes] = []

    def run(self) -> float:
        """Requests per second."""
        self.started = time.perf_counter()
        threads = [threading.Thread(target=self._send_share, args=(number,)) for number in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(self.requests) / (time.perf_counter() - self.started)

    def p99_ms(self) -> float:
        return 1000 * percentile(self.latencies, 0.99)

    def _send_share(self, number: int) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for position in range(number, len(self.requests), self.clients):
                self._await_turn(position)
                started = time.perf_counter()
                connection.sendall(self.requests[position])
                answer = connection.recv(65536)
                self.latencies.append(time.perf_counter() - started)
                if not answer.startswith(b"HTTP/1.1 200"):
                    self.failures.append(answer[:200])

    def _await_turn(self, position: int) -> None:
        if self.pace:
            wait = self.started + position / self.pace - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
