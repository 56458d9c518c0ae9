"""What Odoo's answers mean: false, pairs, archived records, people and their companies, stages and states."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.connectors.sdk.errors import ConfigurationError, TransientError
from sandbox.testing import RunningSandbox
from tests.connectors.odoo.support import Firm, euros, mapped, read_all


def test_false_is_nothing_in_every_type_but_boolean(firm: Firm) -> None:
    company = firm.make("companies", name="Initech", email="AP@Initech.example")

    record = firm.connect().stream("companies").get(company)

    assert record.data["ref"] is None
    assert record.data["active"] is True
    assert mapped("companies", record) == {
        "name": "Initech", "email": "ap@initech.example", "status": "active", "refs": {},
    }  # fmt: skip


def test_moments_are_utc_although_odoo_does_not_say_so(firm: Firm) -> None:
    firm.control.clock("2026-11-22T23:30:00+02:00")
    company = firm.make("companies", name="Initech")

    record = firm.connect().stream("companies").get(company)

    assert record.modified_at.replace(second=0) == datetime(2026, 11, 22, 21, 30, tzinfo=UTC)


def test_an_archived_company_is_read_as_inactive_and_can_be_written(firm: Firm) -> None:
    connector = firm.connect()
    company = firm.make("companies", name="Initech", active=False)

    assert mapped("companies", read_all(connector, "companies")[0][company])["status"] == "inactive"


def test_a_person_belongs_to_the_company_above_whatever_is_between(firm: Firm) -> None:
    company = firm.make("companies", name="Initech")
    team = firm.make("people", name="Accounting", parent_id=int(company))
    person = firm.make("people", name="Dana Reyes", parent_id=int(team))
    alone = firm.make("people", name="Freelancer")
    firm.make("people", name="Warehouse 7", type="delivery", parent_id=int(company))

    found, _ = read_all(firm.connect(), "people")

    assert set(found) == {team, person, alone}
    assert mapped("people", found[person]) == {"name": "Dana Reyes", "refs": {"account": company}}
    assert mapped("people", found[alone]) == {"name": "Freelancer", "refs": {}}


def test_opportunities_tell_stage_seller_and_both_parties(firm: Firm) -> None:
    company = firm.make("companies", name="Initech")
    person = firm.make("people", name="Dana Reyes", parent_id=int(company))
    shared = {"partner_id": int(person), "expected_revenue": 1200.5, "date_deadline": "2026-12-24"}
    open_lead = firm.make("opportunities", name="Rollout", **shared)
    won = firm.make("opportunities", name="Support", stage_id=2)
    lost = firm.make("opportunities", name="Audit", active=False)
    firm.make("opportunities", name="Only a lead", type="lead")

    found, _ = read_all(firm.connect(), "opportunities")

    assert mapped("opportunities", found[open_lead]) == {
        "name": "Rollout", "stage": "open", "amount": euros(120050), "close_date": "2026-12-24",
        "owner_email": "sam@northwind.example", "refs": {"account": company, "contact": person},
    }  # fmt: skip
    assert {i: record.data["stage"] for i, record in found.items()} == {open_lead: "open", won: "won", lost: "lost"}


def test_time_tells_hours_and_whether_it_is_billable(firm: Firm) -> None:
    employee = int(firm.make("employees", name="Dana Reyes"))
    project = int(firm.make("projects", name="Rollout"))
    shared = {"employee_id": employee, "project_id": project, "date": "2026-11-20", "unit_amount": 3.25}
    billed = firm.make("timesheets", name="Workshop", **shared)
    internal = firm.make("timesheets", name="/", timesheet_invoice_type="non_billable", **shared)
    firm.make("account.analytic.line", name="Rent", date="2026-11-20")

    found, _ = read_all(firm.connect(), "timesheets")

    assert set(found) == {billed, internal}
    assert mapped("timesheets", found[billed]) == {
        "work_date": "2026-11-20", "duration_seconds": 11700, "description": "Workshop", "status": "approved",
        "billable": True, "refs": {"project": str(project), "resource": str(employee)},
    }  # fmt: skip
    assert mapped("timesheets", found[internal]) == {
        "work_date": "2026-11-20", "duration_seconds": 11700, "status": "approved", "billable": False,
        "refs": {"project": str(project), "resource": str(employee)},
    }  # fmt: skip


def test_an_expense_finds_its_project_by_the_analytic_account(firm: Firm) -> None:
    firm.make("projects", name="Other")
    project = firm.make("projects", name="Rollout")
    employee = int(firm.make("employees", name="Dana Reyes"))
    field = "account_id" if firm.version == 19 else "analytic_account_id"
    (account,) = [row[field] for row in firm.control.objects("projects") if str(row["id"]) == project]
    expense = firm.make(
        "expenses", name="Train", employee_id=employee, date="2026-11-20", total_amount_currency=59.9, product_id=2,
        analytic_distribution={f"{account},99": 100.0}, state="submitted",
    )  # fmt: skip

    found, _ = read_all(firm.connect(), "expenses")

    assert mapped("expenses", found[expense]) == {
        "spent_date": "2026-11-20", "amount": euros(5990), "status": "submitted", "billable": False,
        "description": "Train", "category": "Travel", "refs": {"project": project, "resource": str(employee)},
    }  # fmt: skip


def test_a_second_company_in_the_database_is_none_of_our_business(firm: Firm) -> None:
    other = firm.control.create("res.company", {"name": "Southwind"})["id"]
    ours = firm.make("projects", name="Ours")
    theirs = firm.make("projects", name="Theirs", company_id=other)

    assert set(read_all(firm.connect(), "projects")[0]) == {ours}
    assert set(read_all(firm.connect(company=str(other)), "projects")[0]) == {theirs}
    with pytest.raises(ConfigurationError, match="no company 77"):
        firm.connect(company="77").check()


def test_an_app_that_is_not_installed_is_named(firm: Firm) -> None:
    firm.control.settings(missing_models=["hr.expense"])

    with pytest.raises(ConfigurationError, match=r"no hr\.expense: its app is not installed"):
        read_all(firm.connect(), "expenses")


def test_a_large_import_is_read_whole(firm: Firm) -> None:
    rows = firm.control.create("companies", [{"name": f"Imported {n}"} for n in range(9)])

    found, checkpoint = read_all(firm.connect(), "companies", size=2)

    assert {str(row["id"]) for row in rows} <= set(found)
    assert checkpoint["complete"] is True


def test_the_company_is_the_account(firm: Firm) -> None:
    result = firm.connect().check()

    assert result.account_name == "Northwind Consulting"
    assert result.account_id.endswith("/northwind#1" if firm.version == 17 else "/#1")


def test_a_wrong_key_is_false_to_one_transport_and_401_to_the_other(firm: Firm) -> None:
    with pytest.raises(ConfigurationError) as caught:
        firm.connect(key="wrong-key-1234567").check()

    expected = {17: ("odoo.exceptions.AccessDenied", None), 19: ("werkzeug.exceptions.Unauthorized", 401)}
    assert (caught.value.code, caught.value.status) == expected[firm.version]


def test_a_key_revoked_in_the_middle_is_a_matter_for_a_person(firm: Firm) -> None:
    connector = firm.connect()
    connector.check()
    firm.control.credentials(api_key="another")

    with pytest.raises(ConfigurationError):
        read_all(connector, "companies")


def test_a_database_that_is_not_there_is_not_worth_another_try(sandbox: RunningSandbox) -> None:
    for version in (17, 19):
        with pytest.raises(ConfigurationError):
            Firm(sandbox, version).connect(database="elsewhere").check()
    with pytest.raises(ConfigurationError, match="name the database"):
        Firm(sandbox, 17).connect(database="").check()


def test_a_lock_is_worth_another_try_although_the_status_is_200(sandbox: RunningSandbox) -> None:
    firm = Firm(sandbox, 17)
    firm.control.settings(raise_next="psycopg2.errors.SerializationFailure")

    with pytest.raises(TransientError) as caught:
        read_all(firm.connect(), "companies")

    assert caught.value.status == 200
