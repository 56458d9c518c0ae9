"""Seed a fresh Tryton database: company, chart of accounts, fiscal years, two employees, a key for the REST API.

Runs inside Tryton's own environment (not ours): `python seed_tryton.py <database> <config file>`. Prints JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import sys

from proteus import Model, config

database, config_file = sys.argv[1:3]
config.set_trytond(database, user="admin", config_file=config_file)

from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts  # noqa: E402
from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences  # noqa: E402
from trytond.modules.company.tests.tools import create_company, get_company  # noqa: E402
from trytond.modules.currency.tests.tools import get_currency  # noqa: E402

get_currency("USD")
create_company(currency=get_currency("EUR"))
company = get_company()
create_chart(company=company)
accounts = get_accounts(company)
this_year = dt.datetime.now(tz=dt.UTC).year
for year in range(this_year - 1, this_year + 3):
    fiscal_year = create_fiscalyear(today=(dt.date(year, 1, 1), dt.date(year, 12, 31)), company=company)
    fiscal_year = set_fiscalyear_invoice_sequences(fiscal_year)
    fiscal_year.click("create_period")

Party = Model.get("party.party")
Employee = Model.get("company.employee")


def employee(name: str, email: str) -> int:
    party = Party(name=name)
    mechanism = party.contact_mechanisms.new()
    mechanism.type, mechanism.value = "email", email
    party.save()
    record = Employee(party=party, company=company)
    record.save()
    return int(record.id)


employees = {
    "dana": employee("Dana Reyes", "dana@northwind.example"),
    "omar": employee("Omar Haddad", "omar@northwind.example"),
}
User = Model.get("res.user")
admin = User.find([("login", "=", "admin")])[0]
if not admin.companies:
    admin.companies.append(company)
admin.company = company
# Without its groups even the administrator may not record time for others.
Group = Model.get("res.group")
held = {group.id for group in admin.groups}
admin.groups.extend(group for group in Group.find([]) if group.id not in held)
admin.save()

Method = Model.get("account.invoice.payment.method")
Journal = Model.get("account.journal")
method = Method(name="Bank transfer", company=company)
method.journal = Journal.find([("type", "=", "cash")])[0]
method.credit_account = method.debit_account = accounts["cash"]
method.save()

Application = Model.get("res.user.application")
application = Application(user=admin, application="rest")
application.save()
if application.state != "validated":
    application.click("validate_")
print(  # noqa: T201 - the caller reads this line
    json.dumps(
        {
            "api_key": application.key,
            "login": "admin",
            "password": "admin",
            "company": company.id,
            "employees": employees,
            "accounts": {kind: {"id": found.id, "code": found.code} for kind, found in accounts.items()},
        }
    )
)
