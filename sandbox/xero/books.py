"""One Xero organization's ledger: what contacts, invoices and payments may become."""

from __future__ import annotations

import copy
import uuid
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from sandbox.account import Account
from sandbox.xero import wire
from sandbox.xero.wire import JsonDict

CENT = Decimal("0.01")
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "AUD", "NZD", "CAD", "DKK", "SEK", "NOK", "PLN", "JPY")


class Invalid(Exception):
    """The validation messages of one element."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = list(messages)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def stable_id(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("xero-sandbox", *parts))))


def folded(value: object) -> str:
    return str(value or "").strip().casefold()


class Books:
    """Rules shared by the documents: settings of the organization, look-ups, the modification stamp."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.now = account.now()
        self.base_currency = str(account.setting("base_currency", "EUR"))
        self._owners: dict[tuple[str, str], dict[str, str]] = {}

    @property
    def tenant_id(self) -> str:
        return stable_id(self.account.name, "tenant")

    def stamp(self) -> str:
        return wire.ms_timestamp(self.now)

    def save(self, kind: str, object_id: str, value: JsonDict, *, created: bool) -> JsonDict:
        value["UpdatedDateUTC"] = self.stamp()
        self._reindex(kind, self.account.objects(kind).get(object_id), value)
        self.account.put(kind, object_id, value)
        if kind in _EVENT_CATEGORIES:
            self.account.emit(self._event(kind, object_id, "CREATE" if created else "UPDATE"))
        return value

    def find(self, kind: str, object_id: object) -> JsonDict | None:
        """A copy: what the caller changes counts only once it is saved."""
        found = self.account.objects(kind).get(object_id) if isinstance(object_id, str) else None
        return copy.deepcopy(found) if found is not None else None

    def all(self, kind: str) -> list[JsonDict]:
        """The stored objects themselves: only for reading."""
        return list(self.account.objects(kind).values())

    def owner(self, kind: str, field: str, value: object) -> str | None:
        """The id of the object that holds a unique text. One scan per request."""
        place = (kind, field)
        if place not in self._owners:
            self._owners[place] = {}
            for item in self.all(kind):
                self._reindex(kind, None, item)
        return self._owners[place].get(folded(value))

    def _reindex(self, kind: str, before: JsonDict | None, after: JsonDict) -> None:
        for (indexed, field), owners in self._owners.items():
            if indexed != kind:
                continue
            if before is not None:
                owners.pop(folded(before.get(field)), None)
            # Archived contacts give their name free; suppliers number their bills as they like.
            is_holder = after.get("ContactStatus") != "ARCHIVED" and after.get("Type") != "ACCPAY"
            if is_holder and after.get(field):
                owners[folded(after[field])] = after[ID_FIELDS[kind]]

    def accounts(self) -> list[JsonDict]:
        return [self._ledger_account(*row) for row in _CHART]

    def ledger_account(self, reference: JsonDict) -> JsonDict | None:
        wanted = (reference.get("AccountID"), reference.get("Code"))
        return next((a for a in self.accounts() if a["AccountID"] == wanted[0] or a["Code"] == wanted[1]), None)

    def tax_rates(self) -> list[JsonDict]:
        return [
            {
                "Name": name,
                "TaxType": kind,
                "Status": "ACTIVE",
                "EffectiveRate": wire.number(rate),
                "DisplayTaxRate": wire.number(rate),
            }
            for kind, (name, rate) in TAX_RATES.items()
        ]

    def organisation(self) -> JsonDict:
        name = f"{self.account.name.replace('-', ' ').title()} Books"
        return {
            "OrganisationID": self.tenant_id,
            "Name": name,
            "LegalName": name,
            "PaysTax": True,
            "Version": "GLOBAL",
            "OrganisationType": "COMPANY",
            "BaseCurrency": self.base_currency,
            "CountryCode": "DE",
            "IsDemoCompany": False,
            "OrganisationStatus": "ACTIVE",
            "Timezone": "UTC",
            "ShortCode": "!sb01",
            "Edition": "BUSINESS",
            "Class": "STANDARD",
        }

    def _event(self, kind: str, object_id: str, change: str) -> JsonDict:
        return {
            "resourceUrl": f"https://api.xero.com/api.xro/2.0/{kind.capitalize()}/{object_id}",
            "resourceId": object_id,
            "eventDateUtc": self.now.replace(tzinfo=None).isoformat(timespec="milliseconds"),
            "eventType": change,
            "eventCategory": _EVENT_CATEGORIES[kind],
            "tenantId": self.tenant_id,
            "tenantType": "ORGANISATION",
        }

    def _ledger_account(self, code: str, name: str, kind: str, tax: str, payable: bool) -> JsonDict:
        return {
            "AccountID": stable_id(self.account.name, "account", code),
            "Code": code,
            "Name": name,
            "Status": "ACTIVE",
            "Type": kind,
            "TaxType": tax,
            "Class": "ASSET" if kind == "BANK" else kind,
            "EnablePaymentsToAccount": payable,
            "ShowInExpenseClaims": False,
            "HasAttachments": False,
            "UpdatedDateUTC": self.stamp(),
            "AddToWatchlist": False,
        }


ID_FIELDS = {"contacts": "ContactID", "invoices": "InvoiceID", "payments": "PaymentID"}
_EVENT_CATEGORIES = {"contacts": "CONTACT", "invoices": "INVOICE"}
TAX_RATES = {
    "OUTPUT": ("Tax on Sales", Decimal("20")),
    "INPUT": ("Tax on Purchases", Decimal("20")),
    "ZERORATEDOUTPUT": ("Zero Rated Income", Decimal(0)),
    "NONE": ("Tax Exempt", Decimal(0)),
}
_CHART = (
    ("090", "Business Bank Account", "BANK", "NONE", True),
    ("200", "Sales", "REVENUE", "OUTPUT", False),
    ("201", "Consulting, zero rated", "REVENUE", "ZERORATEDOUTPUT", False),
    ("310", "Cost of Services", "EXPENSE", "INPUT", False),
)


def parse_day(value: object, label: str) -> date:
    """Raises Invalid."""
    try:
        return wire.parse_moment(str(value)).date()
    except ValueError:
        raise Invalid(f"{label} is not a valid date") from None
