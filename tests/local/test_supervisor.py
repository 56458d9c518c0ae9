import io
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from config.local.children import ServiceFailed, free_port, hold_port
from config.local.supervisor import ProcessEnded, ProcessSpec, Supervisor, http_ready
from tests.local.processes import has_ended, read_until, start_python

# Says its pid, then says goodbye when asked to end.
POLITE = """
import os, signal, sys
def leave(*_):
    print("bye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("pid", os.getpid(), flush=True)
while True:
    signal.pause()
"""
STUBBORN = POLITE.replace("signal.signal(signal.SIGTERM, leave)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
PARENT = """
import sys
from config.local.supervisor import ProcessSpec, Supervisor
code, *tiers = sys.argv[1:]
with Supervisor(sys.stdout) as supervisor:
    for tier in tiers:
        supervisor.start(ProcessSpec(f"p{tier}", (sys.executable, "-c", code), tier=int(tier), stop_seconds=0.2))
    sys.exit(supervisor.run())
"""


def python(name: str, code: str, **options) -> ProcessSpec:
    return ProcessSpec(name, (sys.executable, "-u", "-c", code), **options)


def pids(lines: list[str]) -> list[int]:
    return [int(line.split()[-1]) for line in lines if "| pid" in line]


def test_sigterm_stops_the_highest_tier_first():
    parent = start_python(PARENT, POLITE, "1", "3", "2")
    found: list[int] = []
    while len(found) < 3:
        found += pids(read_until(parent, "| pid"))

    parent.send_signal(signal.SIGTERM)
    output, _ = parent.communicate(timeout=20)

    assert parent.returncode == 0
    assert [line.split()[0] for line in output.splitlines() if line.endswith("| bye")] == ["p3", "p2", "p1"]
    assert all(has_ended(pid) for pid in found)


def test_a_process_that_does_not_listen_is_killed():
    parent = start_python(PARENT, STUBBORN, "1")
    (pid,) = pids(read_until(parent, "| pid"))

    parent.send_signal(signal.SIGINT)

    assert parent.wait(20) == 0
    assert has_ended(pid)


def test_killed_supervisor_takes_its_processes_along():
    parent = start_python(PARENT, POLITE, "1", "2")
    found = pids(read_until(parent, "| pid")) + pids(read_until(parent, "| pid"))

    parent.kill()

    assert len(found) == 2
    assert all(has_ended(pid) for pid in found)


def test_one_death_ends_all_with_its_code():
    out = io.StringIO()
    with Supervisor(out) as supervisor:
        supervisor.start(python("steady", POLITE))
        supervisor.start(python("weak", "raise SystemExit(7)"))
        steady = supervisor.children[0].process

        code = supervisor.run()

    assert code == 7
    assert steady.returncode is not None
    assert "weak ended with code 7; stopping the others" in out.getvalue()


def test_clean_exit_of_one_process_is_a_failure_of_the_whole():
    with Supervisor(io.StringIO()) as supervisor:
        supervisor.start(python("short", "pass"))

        assert supervisor.run() == 1


def test_lines_carry_the_name_and_unfinished_lines_are_kept():
    out = io.StringIO()
    with Supervisor(out) as supervisor:
        supervisor.start(python("talk", "print('one'); print('två', end='')"))
        supervisor.run()

    assert out.getvalue().splitlines()[:2] == ["talk     | one", "talk     | två"]


def test_children_of_a_process_end_with_it():
    grandchild = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); raise SystemExit(p.wait())"
    out = io.StringIO()
    with Supervisor(out) as supervisor:
        supervisor.start(python("outer", grandchild, ready=lambda: "| pid" in out.getvalue()))
        supervisor.wait_until_ready(20)
        (pid,) = pids(out.getvalue().splitlines())

    assert has_ended(pid)


def test_ready_once_the_address_answers():
    port = free_port()
    serve = f"import http.server; http.server.test(http.server.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
    with Supervisor(io.StringIO()) as supervisor:
        supervisor.start(python("web", serve, ready=http_ready(f"http://127.0.0.1:{port}/")))
        supervisor.wait_until_ready(20)

        assert http_ready(f"http://127.0.0.1:{port}/")()

    assert not http_ready(f"http://127.0.0.1:{port}/")()


def test_an_error_of_the_server_is_not_ready():
    class Broken(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(503 if self.path == "/starting" else 404)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"

        answers = [http_ready(f"{base}/starting")(), http_ready(f"{base}/missing")()]
        server.shutdown()

    assert answers == [False, True]


def test_waiting_ends_when_a_process_dies():
    with Supervisor(io.StringIO()) as supervisor:
        supervisor.start(python("weak", "raise SystemExit(4)", ready=lambda: False))

        with pytest.raises(ProcessEnded, match="weak ended with code 4"):
            supervisor.wait_until_ready(20)


def test_waiting_names_what_is_late():
    with Supervisor(io.StringIO()) as supervisor:
        supervisor.start(python("late", POLITE, ready=lambda: False))

        with pytest.raises(ServiceFailed, match="not ready after 0 s: late"):
            supervisor.wait_until_ready(0.1)


def test_handlers_are_restored():
    before = signal.getsignal(signal.SIGTERM)
    with Supervisor(io.StringIO()):
        assert signal.getsignal(signal.SIGTERM) != before

    assert signal.getsignal(signal.SIGTERM) == before


def test_a_taken_port_is_passed_over():
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        assert free_port(server.server_port) != server.server_port


def test_a_held_port_is_nobody_elses_until_it_is_let_go():
    port = free_port()
    with hold_port(port):
        assert free_port(port) != port

    with hold_port(port):
        assert free_port(port) != port
    assert free_port(port) == port
