"""Files as old systems leave them: half written, with broken rows, sent twice, put aside, read by two."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.declared import InvalidDefinition, parse_definition
from apps.connectors.sdk.errors import ConfigurationError, TransientError
from apps.connectors.sdk.types import JsonDict, SourceRecord
from apps.core.http import BlockedAddress, connect_guarded
from tests.connectors.files.harness import PAYROLL, SOURCE, PayrollHarness
from tests.connectors.files.server import PASSWORD, RunningSftp


def read(
    payroll: PayrollHarness, stream: str = "customers", checkpoint: Any = None
) -> tuple[list[SourceRecord], JsonDict]:
    pages = list(payroll.connector().stream(stream).read(checkpoint=checkpoint))
    return [record for page in pages for record in page.records], pages[-1].checkpoint


def names(records: list[SourceRecord]) -> list[Any]:
    return [record.data.get("Name") for record in records]


def left(payroll: PayrollHarness) -> set[str]:
    return {path.name for path in (payroll.folder / "out").iterdir() if path.is_file()}


def test_a_broken_row_is_told_with_its_line_and_the_rest_is_read(payroll: PayrollHarness) -> None:
    rows = [
        "C1;Good;;1,5;no",
        "C2;Too;many;1,5;no;cells",
        ";Nameless;;1,5;no",
        "C4;Bad number;;1.2.3,x;no",
        "C5;Fine;;;",
        "C6;Odd;;;maybe",
    ]
    payroll.drop("customers.csv", "customers", rows)

    records, _ = read(payroll)

    assert [(r.external_id, r.problem) for r in records] == [
        ("C1", ""),
        ("customers.csv:3", "customers.csv, line 3: it has 6 columns, the header 5."),
        ("customers.csv:4", "customers.csv, line 4: “Number” is empty, which tells records apart."),
        ("C4", "customers.csv, line 5: “1.2.3,x” in “Credit limit” is no number."),
        ("C5", ""),
        ("C6", "customers.csv, line 7: “maybe” in “Closed” is no boolean."),
    ]  # fmt: skip
    assert records[4].data == {"Number": "C5", "Name": "Fine", "E-mail": "", "Credit limit": None, "Closed": None}


def test_a_file_is_read_once_and_put_aside_in_the_next_run(payroll: PayrollHarness) -> None:
    payroll.drop("customers.csv", "customers", ["C1;One;;;"])

    first, checkpoint = read(payroll)
    before = left(payroll)
    again, checkpoint = read(payroll, checkpoint=checkpoint)
    third, _ = read(payroll, checkpoint=checkpoint)

    assert (names(first), again, third) == (["One"], [], [])
    assert (before, left(payroll)) == ({"customers.csv"}, set())
    (aside,) = (payroll.folder / "out" / "done").iterdir()
    assert aside.name.endswith("-customers.csv")


def test_another_flow_still_reads_what_was_put_aside(payroll: PayrollHarness) -> None:
    payroll.drop("customers.csv", "customers", ["C1;One;;;"])
    _, checkpoint = read(payroll)
    read(payroll, checkpoint=checkpoint)

    other, position = read(payroll)

    assert names(other) == ["One"]
    assert read(payroll, checkpoint=position)[0] == []


def test_the_same_name_with_new_content_is_another_file(payroll: PayrollHarness) -> None:
    payroll.drop("customers.csv", "customers", ["C1;One;;;"])
    _, checkpoint = read(payroll)
    _, checkpoint = read(payroll, checkpoint=checkpoint)
    payroll.drop("customers.csv", "customers", ["C1;Uno;;;"])

    records, _ = read(payroll, checkpoint=checkpoint)

    assert names(records) == ["Uno"]
    assert payroll.connector().stream("customers").get("C1").data["Name"] == "Uno"  # type: ignore[union-attr]


def test_the_same_content_sent_again_is_not_read_again(payroll: PayrollHarness) -> None:
    path = payroll.drop("customers.csv", "customers", ["C1;One;;;"])
    _, checkpoint = read(payroll)
    os.utime(path, (1_700_100_000, 1_700_100_000))

    assert read(payroll, checkpoint=checkpoint)[0] == []


def test_values_that_come_back_are_read_again(payroll: PayrollHarness) -> None:
    checkpoint = None
    seen: list[Any] = []
    for number, name in enumerate(["One", "Two", "One"]):
        payroll.drop("customers.csv", "customers", [f"C1;{name};;;"], modified=1_700_200_000 + number)
        records, checkpoint = read(payroll, checkpoint=checkpoint)
        seen += names(records)

    late, _ = read(payroll)

    assert seen == ["One", "Two", "One"]
    assert names(late)[-1] == "One"


def test_half_written_files_wait(payroll: PayrollHarness) -> None:
    fresh = int(payroll.now().timestamp())
    growing = payroll.drop("customers.csv", "customers", ["C1;Half;;;"], modified=fresh)
    payroll.drop("customers.csv.part", "customers", ["C2;Part;;;"])
    payroll.drop(".customers.csv", "customers", ["C3;Hidden;;;"])
    nothing, checkpoint = read(payroll)
    with growing.open("ab") as file:
        file.write(b"C9;Whole;;;\r\n")
    os.utime(growing, (fresh - 61, fresh - 61))

    records, _ = read(payroll, checkpoint=checkpoint)

    assert (nothing, names(records)) == ([], ["Half", "Whole"])


def test_a_server_whose_clock_is_ahead_is_no_reason_to_wait_for_ever(
    payroll: PayrollHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = payroll.now()
    payroll.drop("customers.csv", "customers", ["C1;One;;;"], modified=int(now.timestamp()) + 86_400)
    nothing, checkpoint = read(payroll)
    monkeypatch.setattr(payroll, "now", lambda: now.replace(year=now.year + 1))

    records, _ = read(payroll, checkpoint=checkpoint)

    assert (nothing, names(records)) == ([], ["One"])


def test_an_unreadable_file_is_told_and_set_apart(payroll: PayrollHarness) -> None:
    path = payroll.folder / "out" / "customers.csv"
    path.write_text("Nr;Name\r\n1;X\r\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))

    records, checkpoint = read(payroll)
    read(payroll, checkpoint=checkpoint)

    assert [(r.external_id, r.problem) for r in records] == [
        ("customers.csv", "There is no column “Number”. The header row says: Nr, Name.")
    ]
    assert [p.name.partition("-")[2].partition("-")[2] for p in (payroll.folder / "out" / "failed").iterdir()] == [
        "customers.csv"
    ]


def test_where_nothing_may_be_moved_each_file_is_still_read_once(payroll: PayrollHarness) -> None:
    payroll.drop("customers.csv", "customers", ["C1;One;;;"])
    _, checkpoint = read(payroll)
    (payroll.folder / "out" / "done").rmdir()
    (payroll.folder / "out" / "done").write_text("in the way")

    assert read(payroll, checkpoint=checkpoint)[0] == []
    assert left(payroll) == {"customers.csv", "done"}


def test_nothing_secret_is_said_before_the_servers_key_is_agreed(payroll: PayrollHarness, sftp: RunningSftp) -> None:
    told = []
    tried = len(sftp.attempts)
    for key in ("", "SHA256:anotherKeyAltogether"):
        context = ConnectionContext(
            settings={**payroll.settings(), "host_key": key},
            credentials={"password": PASSWORD},
            now=payroll.now,
            allow_private=True,
        )
        with pytest.raises(ConfigurationError) as refused:
            PAYROLL(context).check()
        told.append((refused.value.code, sftp.fingerprint in refused.value.message))

    assert told == [("host_key", True), ("host_key", True)]
    assert len(sftp.attempts) == tried


def test_a_private_key_lets_in_as_well(payroll: PayrollHarness, sftp: RunningSftp) -> None:
    context = ConnectionContext(
        settings=payroll.settings(), credentials={"private_key": sftp.private_key}, now=payroll.now, allow_private=True
    )

    assert PAYROLL(context).check().account_name == "interlace@127.0.0.1"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"host": "127.0.0.1"}, "blocked_address"), ({"host": "169.254.169.254"}, "blocked_address"), ({"port": 25}, "blocked_address")],
)  # fmt: skip
def test_private_addresses_and_other_services_are_out_of_reach(
    payroll: PayrollHarness, changes: dict[str, Any], code: str
) -> None:
    context = ConnectionContext(
        settings={**payroll.settings(), **changes}, credentials={"password": PASSWORD}, now=payroll.now
    )

    with pytest.raises(ConfigurationError) as refused:
        PAYROLL(context).check()

    assert refused.value.code == code


def test_hosts_off_the_partners_list_are_out_of_reach() -> None:
    with pytest.raises(BlockedAddress):
        connect_guarded("127.0.0.1", 22, allow_private=True, allowed_hosts=("sftp.example.com",), timeout=1)


def test_a_server_that_is_gone_is_trouble_that_passes(payroll: PayrollHarness) -> None:
    context = ConnectionContext(
        settings={**payroll.settings(), "port": 1},
        credentials={"password": PASSWORD},
        now=payroll.now,
        allow_private=True,
    )

    with pytest.raises(TransientError):
        PAYROLL(context).check()


def test_the_checkpoint_survives_storage_in_the_middle_of_a_file(payroll: PayrollHarness) -> None:
    payroll.drop("customers.csv", "customers", [f"C{n};Name {n};;;" for n in range(5)])

    def interrupted() -> Iterator[str]:
        checkpoint = None
        for _ in range(3):
            pages = payroll.connector().stream("customers").read(checkpoint=checkpoint, page_size=2)
            page = next(pages)
            checkpoint = msgspec.json.decode(msgspec.json.encode(page.checkpoint))
            yield ",".join(record.external_id for record in page.records)

    assert list(interrupted()) == ["C0,C1", "C2,C3", "C4"]


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("transport: sftp", "transport: ftp", "transport"),
        ("encoding: cp1252, decimal: \",\", thousands", "encoding: zip, decimal: \",\", thousands", "objects[0].file.encoding"),
        ("folder: out", "folder: ../out", "objects[0].file.folder"),
        ('thousands: "."', 'thousands: ","', "objects[0].file.thousands"),
        ('dates: "%d.%m.%Y"}\n    columns: {Start', 'dates: "%d.%m"}\n    columns: {Start', "objects[1].file.dates"),
        ("id: Number", 'id: ""', "objects[0].id"),
        ("entity: account", "entity: customer", "objects[0].entity"),
        ("object: customers", "object: nobody", "objects[1].refs.account"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(before: str, after: str, place: str) -> None:
    assert before in SOURCE
    with pytest.raises(InvalidDefinition) as refused:
        parse_definition(SOURCE.replace(before, after, 1))

    assert refused.value.place == place
