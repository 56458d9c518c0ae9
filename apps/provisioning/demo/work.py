"""A firm at work: what its people do in their own systems, day by day. The same dice fall the same way every time."""

from __future__ import annotations

import random
import unicodedata
from datetime import date, timedelta
from typing import Any

from apps.provisioning.demo.cast import CustomerCast, PartnerCast, Role
from apps.provisioning.demo.vendors import VendorAccount, account_of

GERMAN = (
    "Albers Ahrens Behrendt Claasen Dörfler Ebeling Fiedler Grothe Heidkamp Immig Jessen Kestner Lüders Mertins Niehaus "
    "Ostwald Pohlmann Quast Rehbein Stahnke Tiedtke Ullmann Vesper Wulff Zabel",
    "Logistik Medizintechnik Immobilien Anlagenbau Lebensmittel Textil Verlag Holzbau Energie Reederei Optik Papier",
    ("GmbH", "AG", "KG", "GmbH & Co. KG"),
)
AMERICAN = (
    "Ashbrook Bellweather Cardinal Dunmore Eastgate Fairhaven Granby Halvorsen Ironwood Juniper Kettle Larkspur Mendota "
    "Norwell Oakhurst Pinecrest Quarry Ridgeway Stillwater Tamarack Upland Vermilion Westbrook Yarrow",
    "Freight Dairy Foods Mills Realty Health Outfitters Robotics Paper Credit Brewing Transit",
    ("Inc.", "LLC", "Co.", "Partners"),
)
GIVEN = [
    "Anna",
    "Bela",
    "Cem",
    "Dora",
    "Emil",
    "Fatma",
    "Georg",
    "Hanna",
    "Ivo",
    "Jule",
    "Kai",
    "Lena",
    "Milo",
    "Nele",
    "Otis",
    "Paula",
    "Rana",
    "Sven",
    "Tara",
    "Uwe",
    "Vera",
    "Yuri",
]
CITIES = {"EUR": ("Berlin", "Hamburg", "Leipzig", "Rostock"), "USD": ("Chicago", "Madison", "Peoria", "Rockford")}
OPEN_STAGES = ("appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "contractsent")
NOTES = ("Preparation", "Client meeting", "Draft", "Review", "Site visit", "Coordination", "Revision", "Documentation")
# People work on what is new; older projects come to their end and are paid.
CURRENT_ISSUES = 12
TASKS = ("Concept", "Fieldwork", "Drafting", "Review round", "Hand-over")
# Books a last time before the visitor comes: what nobody has put right does not grow while somebody looks at it.
FREELANCER = "Noor Haddad"


class Firm:
    """One customer's people, with their hands on up to four systems."""

    def __init__(self, partner: PartnerCast, customer: CustomerCast, *, seed: str = "") -> None:
        self.partner = partner
        self.customer = customer
        self.dice = random.Random(f"{customer.slug}{seed}")  # noqa: S311 - the demo shall be the same every time
        self.systems: dict[str, VendorAccount] = {name: account_of(customer, name) for name in customer.vendors}

    def furnish(self) -> None:
        """This method will fill the systems with what the firm had before it met the partner."""
        names = self._company_names()
        companies = self.systems["hubspot"].create("companies", [self._company(name) for name in names])
        contacts = [self._contact(company) for company in companies]
        self.systems["hubspot"].create("contacts", contacts)
        if "tryton" in self.systems:
            old = self.dice.sample(companies, len(companies) // 2)
            self.systems["tryton"].create("parties", [self._party(company) for company in old])
            people = [{"name": r.name, "email": email_of(r, self.customer)} for r in self.customer.team]
            self.systems["tryton"].create("employees", people)
        if "redmine" in self.systems:
            self.systems["redmine"].create("users", [self._user(role) for role in self.customer.team])

    def open_deals(self, count: int, day: date) -> list[dict[str, Any]]:
        """This method will begin talking about new work with companies that are known."""
        companies = self.systems["hubspot"].objects("companies")
        deals = [self._deal(self.dice.choice(companies), day) for _ in range(count)]
        made: list[dict[str, Any]] = self.systems["hubspot"].create("deals", deals)
        return made

    def win_deals(self, count: int, day: date) -> int:
        """This method will close deals as won, the oldest first."""
        waiting = [deal for deal in self.systems["hubspot"].objects("deals") if not is_closed(deal)]
        for deal in waiting[:count]:
            won = {"dealstage": "closedwon", "closedate": day.isoformat()}
            self.systems["hubspot"].update("deals", deal["id"], won)
        return min(count, len(waiting))

    def lose_deal(self, day: date) -> None:
        waiting = [deal for deal in self.systems["hubspot"].objects("deals") if not is_closed(deal)]
        if len(waiting) > 2:
            self.systems["hubspot"].update("deals", waiting[-1]["id"], {"dealstage": "closedlost"})

    def plan_tasks(self) -> None:
        """This method will break new projects down into tasks."""
        redmine = self.systems["redmine"]
        issues = redmine.objects("issues")
        planned = {issue["project"]["id"] for issue in issues if issue["subject"] in TASKS}
        for project in redmine.objects("projects"):
            if project["id"] not in planned:
                chosen = self.dice.sample(TASKS, 2)
                redmine.create(
                    "issues", [{"project_id": project["id"], "subject": s, "estimated_hours": 24} for s in chosen]
                )

    def book_time(self, day: date) -> int:
        """This method will have everyone book the day's hours, not approved yet."""
        issues = self.systems["redmine"].objects("issues")[-CURRENT_ISSUES:]
        if not issues:
            return 0
        entries = [self._entry(user, self.dice.choice(issues), day) for user in self._users()]
        self.systems["redmine"].create("time_entries", entries)
        return len(entries)

    def approve_time(self, before: date) -> int:
        """This method will approve what was booked before the day, as a project lead does once a week."""
        redmine = self.systems["redmine"]
        waiting = [
            e for e in redmine.objects("time_entries") if not is_approved(e) and e["spent_on"] < before.isoformat()
        ]
        for entry in waiting:
            redmine.update("time_entries", entry["id"], {"approved": True})
        return len(waiting)

    def receive_payments(self, day: date, *, share: float = 0.5) -> int:
        """This method will have clients pay invoices that are some days old; most pay in full, some in part."""
        open_ones = self._open_invoices(day - timedelta(days=4))
        paying = [found for found in open_ones if self.dice.random() < share]
        for invoice_id, due in paying:
            amount = due if self.dice.random() < 0.8 else round(due / 2, 2)
            self._pay(invoice_id, amount, day)
        return len(paying)

    def _open_invoices(self, until: date) -> list[tuple[str, float]]:
        system = self.systems[self.customer.billing]
        if self.customer.billing == "tryton":
            return [
                (str(row["id"]), tryton_due(system, row))
                for row in system.objects("invoices")
                if row["state"] == "posted" and tryton_day(row) <= until.isoformat()
            ]
        return [
            (row["InvoiceID"], float(row["AmountDue"]))
            for row in system.objects("invoices")
            if row["Status"] == "AUTHORISED" and str(row["DateString"])[:10] <= until.isoformat()
        ]

    def _pay(self, invoice_id: str, amount: float, day: date) -> None:
        system = self.systems[self.customer.billing]
        if self.customer.billing == "tryton":
            system.create("payments", {"invoice": invoice_id, "amount": f"{amount:.2f}", "date": day.isoformat()})
            return
        payment = {
            "Invoice": {"InvoiceID": invoice_id},
            "Amount": amount,
            "Date": day.isoformat(),
            "Reference": "Bank transfer",
        }
        system.create("payments", payment)

    def _company_names(self) -> list[str]:
        first, trades, forms = GERMAN if self.partner.currency == "EUR" else AMERICAN
        pairs = [f"{name} {trade}" for name in first.split() for trade in trades.split()]
        return [f"{pair} {self.dice.choice(forms)}" for pair in self.dice.sample(pairs, self.customer.account_count)]

    def _company(self, name: str) -> dict[str, Any]:
        domain = f"{slug(' '.join(name.split()[:2]))}.example"
        phone = f"+49 30 5550 {self.dice.randint(1000, 9999)}"
        if self.partner.currency == "USD":
            phone = f"+1 312 555 {self.dice.randint(1000, 9999)}"
        city = self.dice.choice(CITIES[self.partner.currency])
        return {"name": name, "domain": domain, "website": f"https://{domain}", "phone": phone, "city": city}

    def _contact(self, company: dict[str, Any]) -> dict[str, Any]:
        first, last = self.dice.choice(GIVEN), company["properties"]["name"].split()[0]
        email = f"{slug(first)}.{slug(last)}@{company['properties']['domain']}"
        return {"firstname": first, "lastname": last, "email": email, "associations": {"companies": [company["id"]]}}

    def _party(self, company: dict[str, Any]) -> dict[str, Any]:
        known = company["properties"]
        return {"name": known["name"], "website": known["website"], "phone": known["phone"]}

    def _user(self, role: Role) -> dict[str, Any]:
        first, _, last = role.name.partition(" ")
        return {"firstname": first, "lastname": last, "mail": email_of(role, self.customer), "login": slug(role.name)}

    def _deal(self, company: dict[str, Any], day: date) -> dict[str, Any]:
        work, name = self.dice.choice(self.customer.works), company["properties"]["name"]
        return {
            "dealname": f"{work} {' '.join(name.split()[:2])}",
            "amount": str(self.dice.randrange(6_000, 64_000, 500)),
            "dealstage": self.dice.choice(OPEN_STAGES),
            "closedate": (day + timedelta(days=self.dice.randint(5, 40))).isoformat(),
            "associations": {"companies": [company["id"]]},
        }

    def _entry(self, user: dict[str, Any], issue: dict[str, Any], day: date) -> dict[str, Any]:
        hours = self.dice.choice((2.5, 4, 5.25, 6, 6.75, 7.5, 8))
        return {
            "user": user["id"], "issue_id": issue["id"], "hours": hours, "spent_on": day.isoformat(),
            "comments": self.dice.choice(NOTES),
        }  # fmt: skip

    def _users(self) -> list[dict[str, Any]]:
        users = self.systems["redmine"].objects("users")
        return [user for user in users if not user["admin"] and user["login"] != slug(FREELANCER)]


def email_of(role: Role, customer: CustomerCast) -> str:
    return f"{slug(role.name).replace('-', '.')}@{customer.domain}"


def slug(text: str) -> str:
    """ASCII, lower case, hyphens: what fits into addresses."""
    spelled = text.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss").replace("ł", "l")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def is_closed(deal: dict[str, Any]) -> bool:
    return deal["properties"].get("dealstage") in ("closedwon", "closedlost")


def is_approved(entry: dict[str, Any]) -> bool:
    return any(field["name"] == "Approved" and field["value"] == "1" for field in entry["custom_fields"])


def tryton_day(row: dict[str, Any]) -> str:
    found = row.get("invoice_date")
    if isinstance(found, dict):
        return f"{found['year']:04d}-{found['month']:02d}-{found['day']:02d}"
    return str(found or "9999")


def tryton_due(system: VendorAccount, row: dict[str, Any]) -> float:
    """What is still owed: the lines' sum without the payments' (the raw row holds no totals)."""
    lines = [line for line in system.objects("account.invoice.line") if line["invoice"] == row["id"]]
    total = sum(round(float(line["quantity"]) * decimal_of(line["unit_price"]), 2) for line in lines)
    paid = sum(decimal_of(p["credit"]) for p in system.objects("payments") if p["invoice_payment"] == row["id"])
    return round(total - paid, 2)


def decimal_of(value: Any) -> float:
    """Tryton's tagged decimals."""
    return float(value["decimal"]) if isinstance(value, dict) else float(value)
