"""Files in the portal: a draft guessed from a sample, an upload looked at and taken over."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.connectors.models import Connection, CustomConnector, CustomConnectorVersion, StoredFile
from apps.connectors.registry import forget_custom
from apps.connectors.sdk.types import WriteRequest
from apps.connectors.services import open_connector
from apps.core.actor import Actor
from apps.customers.models import Customer, Environment, EnvironmentKind
from tests.factories.uploads import GOOD, SOURCE, connect_ledger, make_ledger

SAMPLE = "/manage/catalogue/custom/from-sample/"


@pytest.fixture
def ledger(partner: object, owner_actor: Actor, now: datetime) -> Connection:
    customer = Customer.objects.create(name="Initech", slug="initech", created_at=now)
    environment = Environment.objects.create(customer=customer, kind=EnvironmentKind.PRODUCTION)
    make_ledger(owner_actor, now)
    return connect_ledger(owner_actor, now, environment)


def csv(text: str, name: str = "customers.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode(), content_type="text/csv")


def test_a_sample_becomes_a_draft_that_can_be_kept(owner: Client, partner: object) -> None:
    response = owner.post(SAMPLE, {"file": csv(GOOD), "transport": "sftp"})
    kept = owner.post("/manage/catalogue/custom/", {"source": response.context["form"]["source"].value()})

    assert 'action="/manage/catalogue/custom/"' in response.content.decode()
    assert kept.status_code == 302
    assert CustomConnector.objects.get().name == "Customers files"


def test_a_sample_that_is_no_table_is_refused(owner: Client, partner: object) -> None:
    response = owner.post(SAMPLE, {"file": csv("%PDF-1.7"), "transport": "sftp"})

    assert response.status_code == 422
    assert response.context["form"].errors["file"] == ["No table was found in this file: is it CSV, with a header row?"]


def test_an_upload_is_looked_at_and_taken_over(owner: Client, ledger: Connection) -> None:
    files = f"/manage/connections/{ledger.pk}/files/"
    page = owner.post(files, {"file": csv(GOOD)})["Location"]
    shown = owner.get(page).content.decode()
    taken = owner.post(f"{page}take/")

    assert "customers.csv, line 3: “x” in “Limit” is no number." in shown
    assert "Umbrella" in shown
    assert taken["Location"] == files
    assert [(file.name, file.folder) for file in StoredFile.objects.all()] == [("customers.csv", "")]
    assert "Taken over" in owner.get(files).content.decode()
    assert files in owner.get(f"/manage/connections/{ledger.pk}/").content.decode()


def test_a_file_of_no_object_is_refused_in_the_form(owner: Client, ledger: Connection) -> None:
    response = owner.post(f"/manage/connections/{ledger.pk}/files/", {"file": csv(GOOD, "other.csv")})

    assert response.status_code == 422
    assert response.context["form"].errors["file"] == ["No object of this system is in files named like other.csv."]


def test_viewers_upload_nothing(viewer: Client, ledger: Connection) -> None:
    assert viewer.post(f"/manage/connections/{ledger.pk}/files/", {"file": csv(GOOD)}).status_code == 403
    assert StoredFile.objects.count() == 0


def test_files_that_went_out_are_downloaded(owner: Client, viewer: Client, ledger: Connection, now: datetime) -> None:
    source = (
        SOURCE
        + """
  - name: invoices
    label: Invoices
    entity: invoice
    file: {pattern: "invoices-*.csv"}
    write: {}
    id: Number
    writes: {Number: record.number}
"""
    )
    connector = CustomConnector.objects.get()
    CustomConnectorVersion.objects.filter(connector=connector).update(source=source)
    forget_custom(ledger.vendor)
    open_connector(ledger).sink("invoices").write([WriteRequest(key="ref-1", payload={"Number": "I1"})])
    file = StoredFile.objects.get(folder="")
    address = f"/manage/connections/{ledger.pk}/files/{file.pk}/"
    fetched = owner.get(f"{address}fetch/")

    assert file.name in owner.get(f"/manage/connections/{ledger.pk}/files/").content.decode()
    assert f"{address}fetch/" in owner.get(address).content.decode()
    assert b"".join(fetched.streaming_content) == b"Number\r\nI1\r\n"
    assert fetched["Content-Disposition"] == f'attachment; filename="{file.name}"'
    assert viewer.get(f"{address}fetch/").status_code == 403
