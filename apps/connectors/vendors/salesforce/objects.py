"""The Salesforce objects we speak, and what differs between them."""

from __future__ import annotations

import msgspec

SYNC_REF = "Sync_Ref__c"
PAYMENT_FIELDS = ("Payment_Status__c", "Invoice_Number__c", "Invoiced_Amount__c", "Paid_Amount__c")
STAMPS = ("Id", "IsDeleted", "CreatedDate", "SystemModstamp")
CURRENCY = "CurrencyIsoCode"


class SalesforceObject(msgspec.Struct, frozen=True, kw_only=True):
    """`fields` are standard ones, selected where the org has them; `paths` cross a relationship, `children` are subqueries
    by the name of their relationship.

    `custom` are the fields an administrator must add for us; `optional` objects exist in some orgs only.
    """

    name: str
    sobject: str
    fields: tuple[str, ...]
    paths: tuple[str, ...] = ()
    children: dict[str, str] = {}
    custom: tuple[str, ...] = ()
    optional: bool = False


OBJECTS = {
    "accounts": SalesforceObject(
        name="accounts",
        sobject="Account",
        fields=("Name", "AccountNumber", "Phone", "Website", "MasterRecordId"),
        custom=(SYNC_REF,),
    ),
    "contacts": SalesforceObject(
        name="contacts",
        sobject="Contact",
        fields=("Name", "FirstName", "LastName", "Email", "Phone", "AccountId", "MasterRecordId"),
        custom=(SYNC_REF,),
    ),
    "opportunities": SalesforceObject(
        name="opportunities",
        sobject="Opportunity",
        fields=("Name", "Amount", "CloseDate", "StageName", "IsClosed", "IsWon", "AccountId", "OwnerId"),
        paths=("Owner.Email",),
        children={"OpportunityContactRoles": "SELECT ContactId FROM OpportunityContactRoles WHERE IsPrimary = true"},
        custom=(SYNC_REF, *PAYMENT_FIELDS),
    ),
    "quotes": SalesforceObject(
        name="quotes",
        sobject="Quote",
        fields=(
            "Name", "QuoteNumber", "Status", "GrandTotal", "ExpirationDate", "AccountId", "ContactId", "OpportunityId",
        ),
        children={
            "QuoteLineItems": (
                "SELECT Description, Product2.Name, Quantity, UnitPrice, TotalPrice FROM QuoteLineItems "
                "ORDER BY LineNumber"
            )
        },
        custom=(SYNC_REF,),
        optional=True,
    ),
    "contracts": SalesforceObject(
        name="contracts",
        sobject="Contract",
        fields=("Name", "ContractNumber", "Status", "StatusCode", "StartDate", "EndDate", "AccountId"),
    ),
    # Where schedules are enabled for products: the installments in which a product of a deal is billed.
    "schedules": SalesforceObject(
        name="schedules",
        sobject="OpportunityLineItemSchedule",
        fields=("ScheduleDate", "Revenue", "Description", "Type", "OpportunityLineItemId"),
        paths=("OpportunityLineItem.OpportunityId", "OpportunityLineItem.Name"),
        optional=True,
    ),
}  # fmt: skip
