import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from config.local import children, postgres, redis
from tests.local.processes import ROOT, has_ended, read_until, start_python

# Holds a server on the data directory until it is killed.
HOLD = """
import signal, sys
from pathlib import Path
from config.local import postgres
with postgres.running(Path(sys.argv[1])) as url:
    print("url", url, flush=True)
    signal.pause()
"""


@pytest.fixture
def data() -> Iterator[Path]:
    folder = postgres.DATA / f"check-{os.getpid()}"
    yield folder
    cluster = postgres.Cluster(folder)
    if cluster.data.exists():
        cluster.stop()
    shutil.rmtree(cluster.data, ignore_errors=True)
    for suffix in (".log", ".lock"):
        cluster.data.with_suffix(suffix).unlink(missing_ok=True)
        folder.with_suffix(suffix).unlink(missing_ok=True)


def postmaster(folder: Path) -> int:
    return int((postgres.Cluster(folder).data / "postmaster.pid").read_text().splitlines()[0])


def run_with_services(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    command = [sys.executable, "-m", "config.local.with_services", *arguments]
    return subprocess.run(command, cwd=ROOT, env=inherited | env, capture_output=True, text=True, timeout=120)


def test_data_survives_a_killed_run_and_its_server_does_not(data: Path):
    first = start_python(HOLD, str(data))
    url = read_until(first, "url ")[-1].removeprefix("url ")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    server = postmaster(data)

    first.kill()

    assert has_ended(server)
    with postgres.running(data) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


def test_a_server_left_behind_is_replaced(data: Path):
    postgres.main(["start", "--data", str(data)])
    left_behind = postmaster(data)

    with postgres.running(data, fast=True) as url, psycopg.connect(url) as connection:
        settings = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "max_locks_per_transaction")]
        current = postmaster(data)

    assert settings == [("off",), ("256",)]
    assert has_ended(left_behind, 0)
    assert current != left_behind
    assert has_ended(current, 0)


def test_one_data_directory_serves_one_run_at_a_time(data: Path):
    holder = start_python(HOLD, str(data))
    read_until(holder, "url ")

    with pytest.raises(postgres.DataInUse), postgres.running(data):
        pass
    holder.send_signal(signal.SIGINT)

    assert holder.wait(60) == -signal.SIGINT


def test_developers_server_starts_once_and_stops(data: Path, capsys: pytest.CaptureFixture[str]):
    postgres.main(["start", "--data", str(data)])
    server = postmaster(data)
    postgres.main(["start", "--data", str(data)])
    postgres.main(["url", "--data", str(data)])
    same = postmaster(data)

    postgres.main(["stop", "--data", str(data)])

    assert same == server
    assert len(set(capsys.readouterr().out.split())) == 1
    assert has_ended(server, 0)


def test_command_gets_services_and_its_code_is_returned():
    script = (
        "import os, psycopg, redis, sys\n"
        "database = psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT current_database()').fetchone()[0]\n"
        "print(database, redis.Redis.from_url(os.environ['REDIS_URL']).ping())\n"
        "sys.exit(3)"
    )

    done = run_with_services("--redis", "--", sys.executable, "-c", script)

    assert (done.stdout, done.stderr, done.returncode) == ("interlace True\n", "", 3)


def test_a_given_database_is_used():
    script = "import os; print(os.environ['DATABASE_URL'], os.environ.get('REDIS_URL'))"

    done = run_with_services("--", sys.executable, "-c", script, DATABASE_URL="postgresql://elsewhere/x")

    assert done.stdout == "postgresql://elsewhere/x None\n"


def test_a_killed_command_gives_the_code_a_shell_gives():
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    done = run_with_services("--", sys.executable, "-c", script, DATABASE_URL="postgresql://elsewhere/x")

    assert done.returncode == 137


def test_redis_serves_while_the_block_runs():
    with redis.running() as url:
        Redis.from_url(url).set("a", "1")
        assert Redis.from_url(url).get("a") == b"1"
        socket = Path(url.removeprefix("unix://"))

    assert not socket.exists()


def test_a_long_path_gets_a_short_socket():
    deep = Path("/", *["directory"] * 11)

    assert children.socket_dir(Path("/srv/data"), "s.sock") == Path("/srv/data")
    assert len(str(children.socket_dir(deep, "s.sock") / "s.sock")) <= children.LONGEST_SOCKET_PATH
    assert children.socket_dir(deep, "s.sock") == children.socket_dir(deep, "s.sock")
