"""Uploaded files: looked at first, then read by the flows like any other file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.audit.models import AuditEvent
from apps.connectors.models import Connection, StoredFile, StoredFilePiece
from apps.connectors.registry import forget_custom
from apps.connectors.sdk.types import WriteRequest
from apps.connectors.selectors import get_stored_file, list_stored_files
from apps.connectors.services import (
    UnableToConnect,
    UnableToRestrict,
    UnableToUpload,
    create_connection,
    create_custom_connector,
    discard_file,
    fetch_file,
    goes_out,
    open_connector,
    preview_file,
    publish_connector,
    set_allowed_hosts,
    stage_file,
    take_file_over,
    update_connection,
)
from apps.connectors.services import uploads as service
from apps.connectors.services.uploads import UploadLimitReached
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.customers.models import Environment
from apps.events.models import OutboxEvent
from tests.connectors.files.harness import SOURCE, PayrollHarness
from tests.connectors.files.server import PASSWORD
from tests.factories.uploads import SOURCE as SOURCE_OF_LEDGER
from tests.factories.uploads import connect_ledger, make_ledger, upload


@pytest.fixture
def ledger(partner: object, owner_actor: Actor, now: datetime, environment: Environment) -> Connection:
    make_ledger(owner_actor, now)
    return connect_ledger(owner_actor, now, environment)


def read(connection: Connection, checkpoint: Any = None) -> tuple[list[tuple[str, str]], Any]:
    connector = open_connector(connection)
    pages = list(connector.stream("customers").read(checkpoint=checkpoint))
    connector.close()
    return [(r.external_id, r.problem) for page in pages for r in page.records], pages[-1].checkpoint


def test_a_preview_shows_rows_and_what_is_wrong_with_others(
    ledger: Connection, owner_actor: Actor, now: datetime
) -> None:
    preview = preview_file(actor=owner_actor, file=upload(owner_actor, now, ledger))

    assert (preview.label, preview.row_count, preview.problem_count) == ("Customers", 3, 1)
    assert preview.problems == ["customers.csv, line 3: “x” in “Limit” is no number."]
    assert [sample.fields for sample in preview.samples] == [
        {"name": "Initech", "number": "C1"},
        {"name": "Umbrella", "number": "C3"},
    ]


def test_nothing_is_read_before_it_is_taken_over(ledger: Connection, owner_actor: Actor, now: datetime) -> None:
    file = upload(owner_actor, now, ledger)
    before, _ = read(ledger)
    take_file_over(actor=owner_actor, now=now, file=file)

    first, checkpoint = read(ledger)
    again, _ = read(ledger, checkpoint)

    assert (before, again) == ([], [])
    assert [external_id for external_id, _ in first] == ["C1", "C2", "C3"]
    assert StoredFile.objects.get().folder == "done"
    events = OutboxEvent.objects.filter(type="connectors.webhook.received")
    assert [event.payload["streams"] for event in events] == [["customers"]]


def test_the_same_name_next_month_is_read_again(ledger: Connection, owner_actor: Actor, now: datetime) -> None:
    take_file_over(actor=owner_actor, now=now, file=upload(owner_actor, now, ledger))
    _, checkpoint = read(ledger)
    later = now + timedelta(days=30)
    changed = upload(owner_actor, later, ledger, "Number;Name;Limit\nC9;New;\n")
    take_file_over(actor=owner_actor, now=later, file=changed)

    assert read(ledger, checkpoint)[0] == [("C9", "")]


def test_content_is_kept_in_pieces(
    ledger: Connection, owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PIECE_BYTES", 10)
    file = upload(owner_actor, now, ledger)

    assert StoredFilePiece.objects.filter(file=file).count() == 6
    assert preview_file(actor=owner_actor, file=file).row_count == 3
    discard_file(actor=owner_actor, now=now, file=file)
    assert StoredFilePiece.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("projects.csv", "a;b", "No object of this system is in files named like projects.csv."),
        ("customers.csv", "", "The file is empty."),
        ("customers.csv", "x" * 40, "A file has at most 200 MB here. Use SFTP for larger ones."),
    ],
)
def test_what_cannot_be_taken_is_refused(
    ledger: Connection,
    owner_actor: Actor,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
    said: str,
) -> None:
    monkeypatch.setattr(service, "LARGEST_UPLOAD_BYTES", 30)
    with pytest.raises(UnableToUpload) as refused:
        upload(owner_actor, now, ledger, text, name)

    assert (refused.value.user_message, refused.value.field) == (said, "file")
    assert StoredFile.objects.count() == 0


def test_two_that_come_at_once_under_one_name_are_one_file(
    ledger: Connection, owner_actor: Actor, now: datetime
) -> None:
    def slowly() -> Iterator[bytes]:
        yield b"Number;"
        upload(owner_actor, now, ledger, "Number;Name\n1;First\n")
        yield b"Name\n2;Second\n"

    file = stage_file(actor=owner_actor, now=now, connection=ledger, name="customers.csv", content=slowly())

    assert [(one.pk, one.name, one.size) for one in StoredFile.objects.all()] == [(file.pk, "customers.csv", 21)]
    assert b"".join(fetch_file(actor=owner_actor, now=now, file=file)) == b"Number;Name\n2;Second\n"


@pytest.mark.parametrize(
    ("limit", "most", "said"),
    [
        ("UPLOADS_MAX_FILES", 2, "There are 2 uploaded files of this customer, which is the most. Delete some first."),
        ("UPLOADS_MAX_BYTES", 2**20, "The uploaded files of this customer would come to more than 1 MB. Delete some first."),
    ],
)  # fmt: skip
def test_a_customers_files_have_an_end(
    ledger: Connection, owner_actor: Actor, now: datetime, settings: Any, limit: str, most: int, said: str
) -> None:
    kept = take_file_over(actor=owner_actor, now=now, file=upload(owner_actor, now, ledger, "x" * 600_000))
    waiting = upload(owner_actor, now, ledger, "y" * 400_000)
    StoredFile.objects.create(connection=ledger, folder="out", name="ours.csv", size=9**9, uploaded_at=now)
    setattr(settings, limit, most)

    with pytest.raises(UploadLimitReached) as refused:
        upload(owner_actor, now, ledger, "z" * 500_000, "customers-2.csv")
    replaced = upload(owner_actor, now, ledger, "z" * 300_000)

    assert (refused.value.user_message, refused.value.status, refused.value.field) == (said, 409, "file")
    left = StoredFile.objects.exclude(folder="out").values_list("pk", "size")
    assert sorted(left) == sorted([(kept.pk, 600_000), (replaced.pk, 300_000)])
    assert not StoredFile.objects.filter(pk=waiting.pk).exists()


def test_a_file_without_its_columns_is_told_in_the_preview(
    ledger: Connection, owner_actor: Actor, now: datetime
) -> None:
    preview = preview_file(actor=owner_actor, file=upload(owner_actor, now, ledger, "Nr;Name\n1;X\n"))

    assert preview.unreadable == "There is no column “Number”. The header row says: Nr, Name."


def test_a_path_in_the_name_is_left_out(ledger: Connection, owner_actor: Actor, now: datetime) -> None:
    file = stage_file(actor=owner_actor, now=now, connection=ledger, name="..\\x/../customers.csv", content=[b"a;b"])

    assert file.name == "customers.csv"


def test_an_sftp_connection_shows_the_servers_key_first_and_is_made_with_it(
    payroll: PayrollHarness, owner_actor: Actor, now: datetime, environment: Environment
) -> None:
    connector = create_custom_connector(actor=owner_actor, now=now, source=SOURCE)
    publish_connector(actor=owner_actor, now=now, connector=connector)
    forget_custom(connector.key)
    given: dict[str, Any] = {
        "actor": owner_actor, "now": now, "environment": environment, "vendor": connector.key, "name": "Payroll",
        "secrets": {"password": PASSWORD},
    }  # fmt: skip
    settings = payroll.settings()
    with pytest.raises(UnableToConnect) as shown:
        create_connection(**given, settings={**settings, "host_key": ""})

    made = create_connection(**given, settings=settings)

    assert shown.value.field == "host_key"
    assert payroll.server.fingerprint in shown.value.user_message
    assert (made.status, made.account_name) == ("active", "interlace@127.0.0.1")
    assert PASSWORD not in repr(Connection.objects.values())


def test_a_stored_password_is_never_sent_to_another_server(
    environment: Environment, owner_actor: Actor, now: datetime, payroll: PayrollHarness
) -> None:
    made = create_custom_connector(actor=owner_actor, now=now, source=SOURCE)
    publish_connector(actor=owner_actor, now=now, connector=made)
    connection = create_connection(
        actor=owner_actor, now=now, environment=environment, vendor=made.key, name="Payroll",
        settings=payroll.settings(), secrets={"password": PASSWORD},
    )  # fmt: skip
    tried = len(payroll.server.attempts)

    with pytest.raises(UnableToConnect):
        update_connection(
            actor=owner_actor, now=now, connection=connection, name="Payroll",
            settings={**payroll.settings(), "host": "localhost"}, secrets={},
        )  # fmt: skip
    forget_custom(made.key)

    assert len(payroll.server.attempts) == tried
    with pytest.raises(UnableToRestrict, match=r"add 127\.0\.0\.1 of Payroll"):
        set_allowed_hosts(actor=owner_actor, now=now, patterns=["api.example.com"])


OUT = (
    SOURCE_OF_LEDGER.replace("Ledger files", "Ledger intake")
    + """
  - name: invoices
    label: Invoices
    entity: invoice
    file: {pattern: "invoices-*.csv", delimiter: ";", decimal: ","}
    write: {}
    columns: {Total: number}
    id: Number
    writes: {Number: record.number, Name: record.reference, Total: decimal(record.total)}
    fields: {number: record.Number}
"""
)


@pytest.fixture
def intake(partner: object, owner_actor: Actor, now: datetime, environment: Environment) -> Connection:
    made = create_custom_connector(actor=owner_actor, now=now, source=OUT)
    publish_connector(actor=owner_actor, now=now, connector=made)
    forget_custom(made.key)
    return create_connection(
        actor=owner_actor, now=now, environment=environment, vendor=made.key, name="Intake", settings={}, secrets={}
    )


def written(connection: Connection, *numbers: str) -> StoredFile:
    requests = [
        WriteRequest(key=f"ref-{number}", payload={"Number": number, "Name": "=1+1", "Total": "2.50"})
        for number in numbers
    ]
    results = open_connector(connection).sink("invoices").write(requests)
    assert [result.error for result in results] == [None] * len(numbers)
    return list_stored_files(connection)[0]


def test_what_goes_out_is_fetched_and_noted(intake: Connection, owner_actor: Actor, now: datetime) -> None:
    file = written(intake, "I1", "I2")
    content = b"".join(fetch_file(actor=owner_actor, now=now, file=file))

    assert content.decode() == "Number;Name;Total\r\nI1;'=1+1;2,50\r\nI2;'=1+1;2,50\r\n"
    assert [entry.action for entry in AuditEvent.objects.filter(action__startswith="file.")] == ["file.fetched"]
    assert goes_out(file)
    assert list_stored_files(intake).count() == 1
    assert StoredFile.objects.filter(connection=intake).count() == 2


def test_a_deleted_file_is_not_written_again(intake: Connection, owner_actor: Actor, now: datetime) -> None:
    discard_file(actor=owner_actor, now=now, file=written(intake, "I1"))
    found = open_connector(intake).sink("invoices").resolve("ref-I1")

    assert found is not None
    assert found.external_id == "I1"
    assert found.data == {"Number": "I1", "Name": "=1+1", "Total": "2.50"}


def test_what_was_sent_is_no_file_of_the_page(intake: Connection, owner_actor: Actor, now: datetime) -> None:
    written(intake, "I1")
    entry = StoredFile.objects.get(connection=intake, folder="sent")

    with pytest.raises(NotVisible):
        get_stored_file(intake, entry.pk)
