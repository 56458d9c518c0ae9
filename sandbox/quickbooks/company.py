"""One QuickBooks company: ids, sync tokens, stamps, and what its objects refer to."""

from __future__ import annotations

import copy
import uuid
import zlib
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.account import Account
from sandbox.vendor import VendorError

JsonDict = dict[str, Any]
CENT = Decimal("0.01")
# The recorded company lives in California.
ZONE = timezone(timedelta(hours=-7))
ENTITIES = ("Customer", "Invoice", "Payment", "Estimate", "Item", "Employee", "TimeActivity")
NAME_LISTS = ("Customer", "Item", "Employee")
CURRENCIES = {"USD": "United States Dollar", "EUR": "Euro", "GBP": "British Pound Sterling", "CHF": "Swiss Franc"}
ITEMS = {"1": "Services", "2": "Hours"}


class Refused(VendorError):
    """One entry of `Fault.Error[]`, status 400."""

    def __init__(
        self, code: str, message: str, detail: str, *, element: str = "", type: str = "ValidationFault"
    ) -> None:
        super().__init__(400, message, code=code, detail=detail, element=element, type=type)


def realm_of(account: Account | str) -> str:
    """The company id: stable for an account's name."""
    name = account if isinstance(account, str) else account.name
    return f"9130{zlib.crc32(name.encode()):010d}"


def stamp(moment: datetime) -> str:
    return moment.astimezone(ZONE).isoformat(timespec="seconds")


def number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def decimal(value: Any, field: str) -> Decimal:
    """Raises Refused for what is no number."""
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        found = Decimal("NaN")
    if isinstance(value, bool) or not found.is_finite():
        raise Refused("2010", "Request has invalid or unsupported property", f"{field}: invalid number", element=field)
    return found


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


class Company:
    """Shared by the entities: finding, saving with a new sync token, deleting so that capture still shows it."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.now = account.now()
        self.base_currency = str(account.setting("base_currency", "USD"))

    @property
    def realm(self) -> str:
        return realm_of(self.account)

    def all(self, entity: str) -> list[JsonDict]:
        if entity == "Item":
            return [self._item(item_id, name) for item_id, name in ITEMS.items()]
        return list(self.account.objects(entity).values())

    def find(self, entity: str, object_id: Any) -> JsonDict | None:
        """A copy; deleted objects are gone."""
        if entity == "Item":
            return self._item(object_id, ITEMS[object_id]) if object_id in ITEMS else None
        found = self.account.objects(entity).get(object_id) if isinstance(object_id, str) else None
        return copy.deepcopy(found)

    def require(self, entity: str, object_id: Any) -> JsonDict:
        found = self.find(entity, object_id)
        if found is None:
            detail = "Object Not Found : Something you're trying to use has been made inactive. Check the fields."
            raise Refused("610", "Object Not Found", detail)
        return found

    def refer(self, entity: str, reference: Any, field: str, name: str) -> JsonDict:
        """The object a reference names. Raises Refused."""
        wanted = reference.get("value") if isinstance(reference, dict) else None
        found = self.find(entity, wanted)
        if found is None:
            detail = f"Invalid Reference Id : {field}Id = {wanted} is invalid. "
            raise Refused("2500", "Invalid Reference Id", detail, element=field)
        return {"value": str(wanted), "name": found[name]}

    def owed(self, customer_id: str) -> float:
        """What the customer's invoices still ask for."""
        mine = (item for item in self.all("Invoice") if item["CustomerRef"]["value"] == customer_id)
        return sum(float(item["Balance"]) for item in mine)

    def blank(self) -> JsonDict:
        """What every object has."""
        return {
            "domain": "QBO",
            "sparse": False,
            "Id": str(self.account.next_number("object")),
            "SyncToken": "-1",
            "MetaData": {"CreateTime": stamp(self.now), "LastUpdatedTime": stamp(self.now)},
        }

    def touched(self, item: JsonDict) -> JsonDict:
        """The object with the next sync token, changed now."""
        stamps = {**item["MetaData"], "LastUpdatedTime": stamp(self.now)}
        return {**item, "SyncToken": str(int(item["SyncToken"]) + 1), "MetaData": stamps}

    def save(self, entity: str, item: JsonDict, *, operation: str) -> JsonDict:
        item = self.touched(item)
        self.account.put(entity, item["Id"], item)
        self.emit(entity, item["Id"], operation)
        return item

    def delete(self, entity: str, object_id: str) -> JsonDict:
        self.account.remove(entity, object_id)
        gone = {
            "domain": "QBO",
            "status": "Deleted",
            "Id": object_id,
            "MetaData": {"LastUpdatedTime": stamp(self.now)},
        }
        self.account.put(f"deleted:{entity}", object_id, gone)
        self.emit(entity, object_id, "Delete")
        return gone

    def currency(self, fields: JsonDict, customer: JsonDict | None = None) -> JsonDict:
        """A document is in the currency of its customer, and refuses another."""
        own = (customer or {}).get("CurrencyRef") or {"value": self.base_currency}
        wanted = (fields.get("CurrencyRef") or own).get("value")
        if wanted not in CURRENCIES:
            raise Refused("2500", "Invalid Reference Id", f"CurrencyRef {wanted} is invalid.", element="CurrencyRef")
        if customer is not None and wanted != own["value"]:
            raise Refused(
                "6000", "A business validation error has occurred", "Business Validation Error: another currency"
            )
        return {"value": wanted, "name": CURRENCIES[wanted]}

    def emit(self, entity: str, object_id: str, operation: str) -> None:
        """An event holds what both webhook formats need."""
        if entity in ("Customer", "Invoice", "Payment", "Estimate"):
            event = {"id": str(uuid.uuid4()), "entity": entity, "object": object_id, "operation": operation}
            self.account.emit({**event, "realm": self.realm, "at": self.now.isoformat(timespec="milliseconds")})

    def info(self) -> JsonDict:
        name = f"{self.account.name.replace('-', ' ').title()} Company"
        return {
            "CompanyName": name,
            "LegalName": name,
            "Country": "US",
            "FiscalYearStartMonth": "January",
            "SupportedLanguages": "en",
            "domain": "QBO",
            "sparse": False,
            "Id": "1",
            "SyncToken": "4",
            "MetaData": {"CreateTime": stamp(self.now), "LastUpdatedTime": stamp(self.now)},
        }

    def _item(self, item_id: str, name: str) -> JsonDict:
        return {
            "Name": name,
            "Active": True,
            "FullyQualifiedName": name,
            "Taxable": False,
            "UnitPrice": 0,
            "Type": "Service",
            "IncomeAccountRef": {"value": "1", "name": "Services"},
            "PurchaseCost": 0,
            "TrackQtyOnHand": False,
            "domain": "QBO",
            "sparse": False,
            "Id": item_id,
            "SyncToken": "0",
            "MetaData": {"CreateTime": "2026-04-05T10:36:03-07:00", "LastUpdatedTime": "2026-04-05T10:36:03-07:00"},
        }
