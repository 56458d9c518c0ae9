"""Files that go out: every record in exactly one file, whatever breaks off and whoever takes files away meanwhile."""

from __future__ import annotations

import asyncio
import io
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.declared import InvalidDefinition, connector_type, parse_definition
from apps.connectors.sdk.declared.files.cells import encoded, row_of
from apps.connectors.sdk.declared.files.sftp import SftpStore
from apps.connectors.sdk.errors import RecordRejected, TransientError
from apps.connectors.sdk.files import FileEntry, FileExists, FileMissing, FileStore
from apps.connectors.sdk.types import WriteRequest
from tests.connectors.files.outgoing import INTAKE, SOURCE, IntakeHarness
from tests.connectors.files.server import RunningSftp

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process ends here."""


class MemoryStore:
    """Files in memory that survive the process; `kill_after` steps that change something, it ends."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.steps = 0
        self.kill_after: int | None = None
        self.before_step: Callable[[], None] = lambda: None

    def scan(self, folder: str) -> list[FileEntry]:
        below = [(path, path.rpartition("/")[2]) for path in self.files if path.rpartition("/")[0] == folder]
        return [
            FileEntry(folder=folder, name=name, size=len(self.files[path]), modified=1_700_000_000)
            for path, name in below
        ]

    def open(self, path: str) -> Any:
        if path not in self.files:
            raise FileMissing(path)
        return closing(io.BytesIO(self.files[path]))

    def move(self, path: str, target: str) -> bool:
        self._step()
        if path not in self.files or target in self.files:
            return False
        self.files[target] = self.files.pop(path)
        return True

    def write(self, path: str, content: bytes, *, is_new: bool = False) -> None:
        self._step()
        if is_new and path in self.files:
            raise FileExists(path)
        self.files[path] = content

    def remove(self, path: str) -> None:
        self._step()
        self.files.pop(path, None)

    def close(self) -> None:
        return None

    def _step(self) -> None:
        self.before_step()
        if self.kill_after is not None and self.steps >= self.kill_after:
            raise Killed
        self.steps += 1


class Reader:
    """The old system: takes every file that has a name of its own, and keeps the rows."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.rows: list[str] = []

    def take(self) -> None:
        for path in [p for p in self.store.files if p.startswith("in/") and p.count("/") == 1 and p.endswith(".csv")]:
            if not path.startswith("in/."):
                self.rows += self.store.files.pop(path).decode("cp1252").splitlines()[1:]


def sink_over(store: FileStore, name: str, now: datetime = NOW) -> Any:
    connector = INTAKE(ConnectionContext(settings={}, credentials={}, now=lambda: now))
    connector.__dict__["store"] = store
    return connector.sink(name)


def request(number: int, key: str = "") -> WriteRequest:
    return WriteRequest(
        key=key or f"ref-{number}", payload={"Number": f"C{number}", "Name": f"Name {number}", "E-mail": ""}
    )


def invoice(number: int) -> WriteRequest:
    payload = {"Invoice": f"I{number}", "Customer": "C1", "Date": "2026-11-23", "Status": "open", "Currency": "EUR", "Total": "12.50"}  # fmt: skip
    return WriteRequest(key=f"ref-{number}", payload=payload)


REQUESTS = {"customers": request, "invoices": invoice}


@pytest.mark.parametrize("name", ["customers", "invoices"])
@pytest.mark.parametrize("takes", [False, True], ids=["nobody reads", "a reader takes files all the time"])
def test_each_record_goes_out_once_wherever_the_process_ends(name: str, takes: bool) -> None:
    """Ended after every single step, in the middle of a second file; the engine resolves, and writes what is not there."""
    for kill_after in itertools.count():
        store = MemoryStore()
        reader = Reader(store)
        if takes:
            store.before_step = reader.take
        make = REQUESTS[name]
        sink_over(store, name).write([make(1), make(2)])
        store.steps, store.kill_after = 0, kill_after
        was_killed = False
        try:
            sink_over(store, name).write([make(3), make(4)])
        except Killed:
            was_killed = True
        store.kill_after = None
        later = sink_over(store, name, NOW + timedelta(minutes=6))
        missing = [number for number in (3, 4) if later.resolve(f"ref-{number}") is None]
        if missing:
            later.write([make(number) for number in missing])
        reader.take()

        assert sorted(row.split(";")[0][1:] for row in reader.rows) == ["1", "2", "3", "4"], kill_after
        assert missing in ([], [3, 4]), kill_after
        assert [path for path in store.files if path.startswith("in/.")] == [], kill_after
        if not was_killed:
            assert kill_after > 4
            break


def test_a_second_writer_waits_for_the_first() -> None:
    store = MemoryStore()
    store.files["in/.customers.lock"] = (NOW - timedelta(minutes=4)).isoformat().encode()

    with pytest.raises(TransientError) as waiting:
        sink_over(store, "customers").write([request(1)])
    sink_over(store, "customers", NOW + timedelta(minutes=2)).write([request(1)])

    assert waiting.value.code == "locked"
    assert store.files["in/customers.csv"].decode() == "Number;Name;E-mail\r\nC1;Name 1;\r\n"


def test_a_file_per_run_has_a_marker_and_the_growing_one_grows(sftp: RunningSftp) -> None:
    harness = IntakeHarness(sftp)
    try:
        harness.connector().sink("invoices").write([invoice(1), invoice(2)])
        harness.connector().sink("customers").write([request(1)])
        harness.connector().sink("customers").write([request(2)])
    finally:
        harness.close()

    names = sorted(path.name for path in (harness.folder / "in").iterdir())
    assert [name.rpartition(".")[2] for name in names] == ["csv", "csv", "ok", "sent"]
    written = next((harness.folder / "in").glob("invoices-*.csv"))
    assert written.read_bytes().decode("cp1252").splitlines() == [
        "Invoice;Customer;Date;Status;Currency;Total",
        "I1;C1;23.11.2026;open;EUR;12,50",
        "I2;C1;23.11.2026;open;EUR;12,50",
    ]
    assert written.with_name(f"{written.name}.ok").read_bytes() == b""
    assert (harness.folder / "in" / "customers.csv").read_bytes() == (
        b"Number;Name;E-mail\r\nC1;Name 1;\r\nC2;Name 2;\r\n"
    )


def test_a_changed_record_goes_out_again_under_its_id() -> None:
    store = MemoryStore()
    sink = sink_over(store, "customers")
    (made,) = sink.write([request(1)])
    changed = WriteRequest(key="ref-9", payload={"Number": "C1", "Name": "New"}, external_id="C1")
    (again,) = sink_over(store, "customers", NOW + timedelta(seconds=1)).write([changed])
    (other,) = sink.write([WriteRequest(key="ref-8", payload={"Number": "C7", "Name": "x"}, external_id="C1")])

    assert (made.record.external_id, again.record.external_id) == ("C1", "C1")
    assert store.files["in/customers.csv"].decode().splitlines() == ["Number;Name;E-mail", "C1;Name 1;", "C1;New;"]
    assert isinstance(other.error, RecordRejected)
    assert other.error.message == "The record went out as C1; as C7 it would be another one."


OUT = """
kind: files
name: Out
domain: erp
transport: upload
objects:
  - name: hours
    label: Hours
    entity: time_entry
    file: {pattern: "hours-*.csv", decimal: ",", datetimes: "%d.%m.%Y %H:%M", time_zone: Europe/Berlin}
    write: {mode: run, reference: Ref, booleans: [ja, nein]}
    columns: {Hours: number, At: datetime, Billable: boolean}
    id: Ref
    writes: {Text: record.description, Hours: hours(record.duration_seconds), At: record.work_date, Billable: record.billable}
    fields: {description: record.Text}
"""


def test_cells_are_written_as_the_reader_wants_them() -> None:
    part = parse_definition(OUT).objects[0]
    payload = {"Text": "  =1+1 ", "Hours": "-7.50", "At": "2026-11-23T08:00:00Z", "Billable": True}
    row = row_of(WriteRequest(key="ref-1", payload=payload), part)  # type: ignore[arg-type]

    assert row == ["ref-1", "=1+1", "-7,50", "23.11.2026 09:00", "ja"]
    assert encoded([row], part).decode() == 'ref-1,=1+1,"-7,50",23.11.2026 09:00,ja\r\n'  # type: ignore[arg-type]


def test_files_that_people_open_run_no_formulas() -> None:
    kind = connector_type("custom-out", parse_definition(OUT))
    store = MemoryStore()
    connector = kind(ConnectionContext(settings={}, credentials={}, now=lambda: NOW))
    connector.__dict__["store"] = store
    payload = {"Text": "=HYPERLINK(1)", "Hours": "-7.50", "At": None, "Billable": False}
    (result,) = connector.sink("hours").write([WriteRequest(key="ref-1", payload=payload)])

    (name,) = [path for path in store.files if not path.startswith("sent/")]
    assert store.files[name].decode().splitlines()[1] == 'ref-1,\'=HYPERLINK(1),"-7,50",,nein'
    assert result.record is not None
    assert result.record.data["Text"] == "=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"Number": "C1", "Name": "日"}, "“日” in “Name” cannot be written in cp1252."),
        ({"Number": None, "Name": "x"}, "“Number” is empty, which tells records apart."),
        ({"Number": "C1", "Name": {"a": 1}}, "“{'a': 1}” in “Name” is no text."),
        ({"Number": "C1", "Phone": "x"}, "The file has no column “Phone”."),
        ({"Number": "C1", "Name": "a\x00b"}, "“Name” holds a null character."),
    ],
)
def test_what_a_file_cannot_hold_is_refused(payload: dict[str, Any], said: str) -> None:
    store = MemoryStore()
    results = sink_over(store, "customers").write([WriteRequest(key="ref-2", payload=payload), request(1)])

    assert isinstance(results[0].error, RecordRejected)
    assert results[0].error.message == said
    assert store.files["in/customers.csv"].decode().splitlines()[1:] == ["C1;Name 1;"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"customers.csv"', '"customers-*.csv"', "objects[0].file.pattern: Name the one file that grows."),
        ('"invoices-*.csv"', '"invoices.csv"', "objects[1].file.pattern: Name the file with one * for what differs from run to run."),
        ("      Number: record.number\n", "", "objects[0].writes: The column “Number” is not written."),
        ("{account: customers}", "{account: people}", "objects[1].write_refs: There is no “people” here."),
        ("Name: record.name", "Name: record.", "objects[0].writes.Name:"),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_written_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        parse_definition(SOURCE.replace(old, new, 1))

    assert str(refused.value).startswith(said)


def test_a_servers_clock_may_say_anything() -> None:
    """Seconds since 1970 in 64 bits: beyond the year 9999, and before 1970, is no day of ours."""

    class Listing:
        async def scandir(self, path: str) -> AsyncIterator[object]:
            for name, modified in (("a.csv", 2**63), ("b.csv", -5), ("c.csv", None), ("d.csv", 1_700_000_000)):
                attrs = SimpleNamespace(type=asyncssh.FILEXFER_TYPE_REGULAR, size=1, mtime=modified)
                yield SimpleNamespace(filename=name, attrs=attrs)

    store = SftpStore(ConnectionContext(settings={"host": "h"}, credentials={}, now=lambda: NOW))
    store._sftp = Listing()  # type: ignore[assignment]
    found = asyncio.run(store._list(""))

    assert [entry.modified for entry in found] == [253_402_300_799, 0, 0, 1_700_000_000]
    assert datetime.fromtimestamp(found[0].modified, UTC).year == 9999
