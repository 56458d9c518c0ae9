"""The simulator's own manners: forms of answers, limits, refusals."""

from __future__ import annotations

import httpx2
import pytest

from apps.connectors.sdk.errors import ConfigurationError, FatalError, RateLimited, TransientError
from tests.connectors.xero.support import TOKEN, add_contact, add_invoice

API = "/api.xro/2.0"


@pytest.fixture
def http(xero):
    headers = {"authorization": f"Bearer {TOKEN}", "xero-tenant-id": xero.tenant_id}
    with httpx2.Client(base_url=xero.client.base_url, headers=headers, trust_env=False) as client:
        yield client


def test_lines_are_only_shown_on_numbered_pages(http, control):
    add_invoice(control, add_contact(control))

    summary = http.get(f"{API}/Invoices").json()
    paged = http.get(f"{API}/Invoices", params={"page": 1, "pageSize": 1}).json()

    assert summary["Invoices"][0]["LineItems"] == []
    assert "pagination" not in summary
    assert len(paged["Invoices"][0]["LineItems"]) == 1
    assert paged["pagination"] == {"page": 1, "pageSize": 1, "pageCount": 1, "itemCount": 1}


def test_dates_and_headers_look_like_xero(http, control):
    control.clock("2026-11-20T09:00:00Z")
    add_invoice(control, add_contact(control))

    answer = http.get(f"{API}/Invoices", params={"page": 1})
    invoice = answer.json()["Invoices"][0]

    assert invoice["Date"] == "/Date(1795132800000+0000)/"
    assert invoice["DateString"] == "2026-11-20T00:00:00"
    assert invoice["UpdatedDateUTC"].startswith("/Date(17951652")
    assert int(answer.headers["x-minlimit-remaining"]) < 60
    assert int(answer.headers["x-daylimit-remaining"]) < 5000
    assert int(answer.headers["x-appminlimit-remaining"]) < 10000


def test_a_batch_with_one_bad_element_is_refused_whole_by_default(http, control):
    body = {"Contacts": [{"Name": "Good"}, {"Name": ""}]}

    answer = http.put(f"{API}/Contacts", json=body)

    assert answer.status_code == 400
    assert answer.json()["Type"] == "ValidationException"
    assert answer.json()["Elements"][1]["ValidationErrors"] == [{"Message": "Contact name cannot be empty"}]
    assert control.objects("contacts") == []


def test_put_refuses_a_taken_name_and_post_changes_its_owner(http, control):
    contact_id = add_contact(control, "Initech")

    refused = http.put(f"{API}/Contacts", json={"Contacts": [{"Name": "initech"}]})
    changed = http.post(f"{API}/Contacts", json={"Contacts": [{"Name": "Initech", "TaxNumber": "7"}]})

    assert "already assigned" in refused.json()["Elements"][0]["ValidationErrors"][0]["Message"]
    assert changed.json()["Contacts"][0]["ContactID"] == contact_id
    assert control.objects("contacts")[0]["TaxNumber"] == "7"


@pytest.mark.parametrize(
    ("case", "fields", "message"),
    [
        ("type", {"Type": "SALE"}, "Invoice Type is not valid"),
        (
            "account",
            {"LineItems": [{"Description": "x", "AccountCode": "999"}]},
            "Account code '999' is not a valid code",
        ),
        ("no lines", {"LineItems": []}, "One or more line items must be specified"),
        ("due date", {"DueDate": None}, "DueDate is required"),
        ("status", {"Status": "PAID"}, "Status PAID is not valid"),
        ("tax", {"LineItems": [{"Description": "x", "TaxType": "MAGIC"}]}, "The TaxType code 'MAGIC' does not exist"),
    ],
)
def test_invoices_are_validated(http, control, case, fields, message):
    body = {
        "Type": "ACCREC",
        "Contact": {"ContactID": add_contact(control)},
        "DueDate": "2026-12-20",
        "Status": "AUTHORISED",
        "LineItems": [{"Description": "x", "UnitAmount": 1}],
        **fields,
    }

    answer = http.put(f"{API}/Invoices", json={"Invoices": [body]})

    assert answer.json()["Elements"][0]["ValidationErrors"][0]["Message"].startswith(message)
    assert control.objects("invoices") == []


def test_numbers_continue_and_never_repeat(http, control):
    contact_id = add_contact(control)
    numbers = [add_invoice(control, contact_id)["InvoiceNumber"] for _ in range(2)]
    taken = http.put(
        f"{API}/Invoices",
        json={"Type": "ACCREC", "Contact": {"ContactID": contact_id}, "InvoiceNumber": "INV-0001", "LineItems": []},
    )

    assert numbers == ["INV-0001", "INV-0002"]
    assert taken.json()["Elements"][0]["ValidationErrors"] == [{"Message": "Invoice # must be unique."}]


def test_names_and_numbers_are_free_where_xero_frees_them(http, control):
    contact_id = add_contact(control, "Initech")
    add_invoice(
        control, contact_id, Type="ACCPAY", InvoiceNumber="INV-0001", LineItems=[{"Description": "x", "UnitAmount": 1}]
    )
    sale = add_invoice(control, contact_id)
    control.update("contacts", contact_id, {"ContactStatus": "ARCHIVED"})

    renewed = http.put(f"{API}/Contacts", json={"Contacts": [{"Name": "Initech"}, {"Name": "Other"}]})

    assert sale["InvoiceNumber"] == "INV-0001"
    assert [contact["Name"] for contact in renewed.json()["Contacts"]] == ["Initech", "Other"]


def test_overpaying_is_refused(http, control):
    invoice = add_invoice(control, add_contact(control))
    body = {
        "Payments": [{"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 585.01}]
    }

    answer = http.put(f"{API}/Payments", json=body)

    expected = "Payment amount exceeds the amount outstanding on this document"
    assert answer.json()["Elements"][0]["ValidationErrors"] == [{"Message": expected}]
    assert control.objects("invoices")[0]["AmountPaid"] == 0


def test_an_idempotency_key_is_remembered_for_a_while(http, control):
    body = {"Contacts": [{"Name": "Initech"}]}
    control.clock("2026-11-20T09:00:00Z")
    first = http.put(f"{API}/Contacts", json=body, headers={"Idempotency-Key": "k-1"}).json()
    repeated = http.put(f"{API}/Contacts", json=body, headers={"Idempotency-Key": "k-1"}).json()
    control.clock("2026-11-20T10:00:00Z")
    forgotten = http.put(f"{API}/Contacts", json=body, headers={"Idempotency-Key": "k-1"})

    assert repeated == first
    assert forgotten.status_code == 400


def test_the_minute_limit_answers_with_a_wait(xero, control):
    control.settings(minute_limit=0)

    with pytest.raises(RateLimited) as caught:
        xero.check()

    assert 0 < caught.value.retry_after <= 60
    assert caught.value.status == 429


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, ConfigurationError), (403, ConfigurationError), (500, TransientError), (503, TransientError)],
)
def test_refusals_of_the_service_become_the_right_error(xero, control, status, expected):
    control.fault("status", status=status, path_prefix=f"{API}/Organisation")

    with pytest.raises(expected):
        xero.check()


def test_a_question_xero_cannot_read_is_our_mistake(xero):
    with pytest.raises(FatalError) as caught:
        xero.stream("contacts").find_where("Name.Contains(1)")

    assert caught.value.code == "QueryParseException"


def test_state_survives_a_restart(tmp_path):
    from sandbox.testing import running_sandbox

    with running_sandbox(tmp_path) as first:
        invoice = add_invoice(first.control("xero", "acme"), add_contact(first.control("xero", "acme")))
    with running_sandbox(tmp_path) as second:
        assert second.control("xero", "acme").objects("invoices") == [invoice]
