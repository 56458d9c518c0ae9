"""Record types: where the fields of the record service are kept, and the tables that SuiteQL sees."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Record:
    """`fields` maps fields of the record service to columns; `references` names the table behind a reference."""

    table: str
    fields: dict[str, str]
    required: tuple[str, ...] = ()
    references: dict[str, str] = field(default_factory=dict)
    type: str = ""


def same(*names: str) -> dict[str, str]:
    return {name: name.lower() for name in names}


ENTITY = same("entityId", "email", "phone", "isInactive", "externalId", "subsidiary")
TRANSACTION = same("entity", "tranId", "tranDate", "memo", "externalId", "currency", "subsidiary", "approvalStatus")
RECORDS = {
    "customer": Record("customer", {**ENTITY, **same("companyName", "url", "isPerson")}, required=("companyname",)),
    "contact": Record(
        "contact",
        {**ENTITY, **same("firstName", "lastName", "company")},
        required=("entityid",),
        references={"company": "customer"},
    ),
    "job": Record(
        "job",
        {
            **ENTITY, **same("companyName", "startDate", "projectedEndDate"), "parent": "customer",
            "entityStatus": "entitystatus",
        },
        required=("companyname",),
        references={"customer": "customer"},
    ),
    "projectTask": Record(
        "projecttask",
        same("title", "project", "status", "estimatedWork", "externalId"),
        required=("title", "project"),
        references={"project": "job"},
    ),
    "employee": Record("employee", {**ENTITY, **same("firstName", "lastName")}, required=("entityid",)),
    "timeBill": Record(
        "timebill",
        same(
            "employee", "customer", "caseTaskEvent", "tranDate", "hours", "memo", "isBillable", "approvalStatus",
            "externalId",
        ),
        required=("employee", "hours"),
        references={"employee": "employee", "casetaskevent": "projecttask"},
    ),
    "invoice": Record(
        "transaction",
        {**TRANSACTION, **same("otherRefNum", "dueDate")},
        required=("entity",),
        references={"entity": "customer"},
        type="CustInvc",
    ),
    "estimate": Record(
        "transaction",
        {**TRANSACTION, **same("title", "dueDate")},
        required=("entity",),
        references={"entity": "customer"},
        type="Estimate",
    ),
    "customerPayment": Record(
        "transaction",
        {**TRANSACTION, "customer": "entity", "payment": "foreigntotal"},
        required=("entity",),
        references={"entity": "customer"},
        type="CustPymt",
    ),
    "expenseReport": Record(
        "transaction", TRANSACTION, required=("entity",), references={"entity": "employee"}, type="ExpRept"
    ),
}  # fmt: skip
TABLES: dict[str, tuple[str, ...]] = {
    "customer": (
        "id", "entityid", "companyname", "email", "phone", "url", "isinactive", "isperson", "currency", "externalid",
        "lastmodifieddate",
    ),
    "contact": (
        "id", "entityid", "firstname", "lastname", "email", "phone", "company", "isinactive", "externalid",
        "lastmodifieddate",
    ),
    "job": (
        "id", "entityid", "companyname", "customer", "entitystatus", "startdate", "projectedenddate", "isinactive",
        "externalid", "lastmodifieddate",
    ),
    "jobstatus": ("id", "name"),
    "projecttask": ("id", "title", "project", "status", "estimatedwork", "externalid", "lastmodifieddate"),
    "employee": (
        "id", "entityid", "firstname", "lastname", "email", "isinactive", "externalid", "lastmodifieddate",
    ),
    "timebill": (
        "id", "employee", "customer", "casetaskevent", "trandate", "hours", "memo", "isbillable", "approvalstatus",
        "externalid", "lastmodifieddate",
    ),
    "transaction": (
        "id", "type", "tranid", "title", "otherrefnum", "entity", "trandate", "duedate", "status", "voided", "memo",
        "foreigntotal", "foreignamountunpaid", "currency", "externalid", "lastmodifieddate",
    ),
    "transactionline": (
        "uniquekey", "transaction", "linesequencenumber", "mainline", "taxline", "memo", "quantity", "rate",
        "foreignamount", "category", "entity", "isbillable", "expensedate",
    ),
    "nexttransactionlinelink": ("previousdoc", "nextdoc", "foreignamount", "linktype"),
    "currency": ("id", "symbol"),
    "expensecategory": ("id", "name"),
}  # fmt: skip
