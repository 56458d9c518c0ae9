"""Writing a connector down in the portal: draft, trial, publication, export."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from apps.connectors.models import CustomConnector
from sandbox.testing import RunningSandbox, running_sandbox
from tests.factories.delivery import make_connection, make_customer

ADD = "/manage/catalogue/custom/"
SOURCE = Path("docs/examples/connectors/kimai.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def page(owner: Client, partner: object) -> str:
    return str(owner.post(ADD, {"source": SOURCE})["Location"])


def test_the_starter_is_a_valid_definition(owner: Client, partner: object) -> None:
    starter = owner.get(ADD).context["form"]["source"].value()

    made = owner.post(ADD, {"source": starter})

    assert made.status_code == 302
    assert CustomConnector.objects.get().name == "My system"


def test_a_broken_text_is_told_with_its_place_and_kept_in_the_form(owner: Client, partner: object) -> None:
    broken = SOURCE.replace("entity: account", "entity: customer")

    response = owner.post(ADD, {"source": broken})

    assert response.status_code == 422
    assert response.context["form"].errors["source"][0].startswith("objects[0].entity: Choose one of account,")
    assert response.context["form"]["source"].value() == broken
    assert CustomConnector.objects.count() == 0


def test_a_trial_in_the_page(owner: Client, page: str, sandbox: RunningSandbox) -> None:
    control = sandbox.control("kimai", "page")
    control.credentials(api_key="good-token-1234")
    control.create("customers", {"name": "Initech", "country": "DE", "currency": "EUR", "timezone": "Europe/Berlin"})
    given = {"object_name": "customers", "field_base_url": sandbox.base_url("kimai", "page")}

    good = owner.post(f"{page}try/", {**given, "field_api_key": "good-token-1234"}).content.decode()
    wrong = owner.post(f"{page}try/", {**given, "field_api_key": "wrong-token-99"}).content.decode()
    incomplete = owner.post(f"{page}try/", given)

    assert "Connected to robot" in good
    assert "&quot;name&quot;: &quot;Initech&quot;" in good
    assert "good-token-1234" not in good
    assert "Invalid credentials" in wrong
    assert incomplete.status_code == 422


def test_publishing_restoring_exporting_archiving(owner: Client, page: str) -> None:
    owner.post(f"{page}publish/", {"note": "first"})
    connector = CustomConnector.objects.get()
    version = connector.versions.get()
    owner.post(page, {"source": SOURCE.replace("calls: 120", "calls: 7")})
    owner.post(f"{page}versions/{version.pk}/restore/")
    exported = owner.get(f"{page}export/")
    archived = owner.post(f"{page}archive/")

    assert (version.note, version.number) == ("first", 1)
    assert exported.content.decode() == SOURCE
    assert exported["Content-Disposition"] == 'attachment; filename="custom-kimai.yaml"'
    assert archived["Location"] == "/manage/catalogue/"
    assert owner.get(page).status_code == 404


def test_the_map_and_the_list_call_the_system_what_its_writers_do(owner: Client, page: str) -> None:
    owner.post(f"{page}publish/")
    customer = make_customer("Initech")
    make_connection(customer, "custom-kimai", name="Time", account_name="robot")

    for tab in ("", "connections/"):
        shown = owner.get(f"/manage/customers/{customer.pk}/{tab}").content.decode()
        assert "Kimai" in shown
        assert "custom-kimai" not in shown
