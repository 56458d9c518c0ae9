"""Which fields the objects of an org have: Salesforce's own (those that matter here) and the custom ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.account import Account

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Field:
    """`rule` is what a write must obey: "" free, "required", "read_only", "create_only" or "write_only" (create_only, not shown)."""

    name: str
    type: str = "string"
    rule: str = ""
    to: str = ""
    length: int = 255
    unique: bool = False

    @property
    def is_custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def relationship(self) -> str | None:
        return self.name.removesuffix("Id") if self.to else None


def _fields(text: str) -> list[Field]:
    """`Name:string:required AccountId:Account` → fields; a capital type names the object referred to."""
    found = []
    for entry in text.split():
        name, type_, rule = (*entry.split(":"), "", "")[:3]
        is_reference = type_[:1].isupper()
        found.append(
            Field(
                name=name, type="reference" if is_reference else type_ or "string", rule=rule, to=type_ * is_reference
            )
        )
    return found


SYSTEM = _fields(
    "Id:id:read_only IsDeleted:boolean:read_only CreatedDate:datetime:read_only LastModifiedDate:datetime:read_only "
    "SystemModstamp:datetime:read_only"
)
MARK = Field(name="Sync_Ref__c", length=64, unique=True)
OWNER = "OwnerId:User"
_STANDARD = {
    "Organization": "Name OrganizationType InstanceName IsSandbox:boolean",
    "User": "Username Email:email FirstName LastName:string:required Name:string:read_only IsActive:boolean",
    "Account": f"Name:string:required AccountNumber Phone:phone Website:url Industry MasterRecordId:Account:read_only {OWNER}",
    "Contact": (
        "Name:string:read_only FirstName LastName:string:required Email:email Phone:phone AccountId:Account "
        f"MasterRecordId:Contact:read_only {OWNER}"
    ),
    "Opportunity": (
        "Name:string:required StageName:picklist:required CloseDate:date:required Amount:currency "
        "IsClosed:boolean:read_only IsWon:boolean:read_only AccountId:Account ContactId:Contact:write_only " + OWNER
    ),
    "OpportunityContactRole": "OpportunityId:Opportunity:required ContactId:Contact:required IsPrimary:boolean Role",
    "Quote": (
        "Name:string:required QuoteNumber:string:read_only Status:picklist GrandTotal:currency:read_only "
        "ExpirationDate:date OpportunityId:Opportunity:create_only AccountId:Account:read_only ContactId:Contact"
    ),
    "QuoteLineItem": (
        "QuoteId:Quote:required Product2Id:Product2 LineNumber:string:read_only Description Quantity:double:required "
        "UnitPrice:currency:required TotalPrice:currency:read_only"
    ),
    "Product2": "Name:string:required",
    "OpportunityLineItem": (
        "Name:string:read_only OpportunityId:Opportunity:required Product2Id:Product2 Quantity:double UnitPrice:currency TotalPrice:currency"
    ),
    "OpportunityLineItemSchedule": (
        "OpportunityLineItemId:OpportunityLineItem:create_only Type:picklist ScheduleDate:date:required "
        "Revenue:currency Quantity:double Description"
    ),
    "Contract": (
        "Name ContractNumber:string:read_only Status:picklist StatusCode:picklist:read_only StartDate:date "
        "EndDate:date:read_only ContractTerm:int AccountId:Account:required " + OWNER
    ),
}
CUSTOM = {
    "Account": [MARK, Field(name="Region__c")],
    "Contact": [MARK],
    "Opportunity": [
        MARK,
        Field(name="Payment_Status__c"),
        Field(name="Invoice_Number__c", length=80),
        Field(name="Invoiced_Amount__c", type="currency"),
        Field(name="Paid_Amount__c", type="currency"),
    ],
    "Quote": [MARK],
}
STANDARD = {name: [*SYSTEM, *_fields(text)] for name, text in _STANDARD.items()}
PREFIXES = {
    "Organization": "00D", "User": "005", "Account": "001", "Contact": "003", "Opportunity": "006",
    "OpportunityContactRole": "00K", "Quote": "0Q0", "QuoteLineItem": "0QL", "Product2": "01t", "Contract": "800",
    "OpportunityLineItem": "00k", "OpportunityLineItemSchedule": "00o",
}  # fmt: skip
# relationship name → (child object, its reference to the parent)
CHILDREN = {
    ("Opportunity", "OpportunityContactRoles"): ("OpportunityContactRole", "OpportunityId"),
    ("Quote", "QuoteLineItems"): ("QuoteLineItem", "QuoteId"),
}
CURRENCY_FIELD = Field(name="CurrencyIsoCode", type="picklist", length=3)
# An org of several currencies keeps one for each of these.
WITH_CURRENCY = frozenset({
    "Account", "Contact", "Opportunity", "Quote", "Contract", "QuoteLineItem", "OpportunityLineItem",
    "OpportunityLineItemSchedule",
})  # fmt: skip


def fields_of(account: Account, sobject: str) -> dict[str, Field] | None:
    """The object's fields as this org has them; None where it has no such object.

    Settings: `without` lists fields ("Opportunity.Paid_Amount__c") and objects ("Quote") the org lacks; `currencies`
    makes it one of several currencies.
    """
    without = account.setting("without", [])
    if sobject not in STANDARD or sobject in without:
        return None
    found = [*STANDARD[sobject], *CUSTOM.get(sobject, [])]
    if account.setting("currencies") and sobject in WITH_CURRENCY:
        found.append(CURRENCY_FIELD)
    return {field.name: field for field in found if f"{sobject}.{field.name}" not in without}


def describe(account: Account, sobject: str, fields: dict[str, Field]) -> Json:
    """The answer of `/describe`, cut to what clients look at."""
    flags = ("createable", "deletable", "queryable", "retrieveable", "searchable", "undeletable", "updateable")
    shown = [_described(account, sobject, field) for field in fields.values() if field.rule != "write_only"]
    return {
        "name": sobject, "label": sobject, "labelPlural": f"{sobject}s", "keyPrefix": PREFIXES[sobject],
        "custom": False, **dict.fromkeys(flags, True), "fields": shown, "childRelationships": [], "recordTypeInfos": [],
    }  # fmt: skip


def _described(account: Account, sobject: str, field: Field) -> Json:
    is_mark_plain = f"{sobject}.{field.name}" in account.setting("not_unique", [])
    unique = field.unique and not is_mark_plain
    return {
        "name": field.name, "label": field.name, "type": field.type, "length": field.length, "custom": field.is_custom,
        "createable": field.rule != "read_only", "updateable": field.rule in ("", "required"),
        "nillable": field.rule != "required", "externalId": unique, "unique": unique,
        "referenceTo": [field.to] if field.to else [], "relationshipName": field.relationship,
        "picklistValues": [], "restrictedPicklist": False, "calculated": False, "autoNumber": False,
    }  # fmt: skip
