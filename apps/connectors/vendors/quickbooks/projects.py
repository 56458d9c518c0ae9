"""Work in QuickBooks: projects and jobs (customers below a customer), employees, and time on them.

Source: Intuit's schema (`TimeActivity`, Finance.xsd) and API reference. A project is made as a job: what QuickBooks calls a
project can only be made in its own screens, and reads the same.
"""

from __future__ import annotations

from datetime import datetime

from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.quickbooks.sinks import ListSink, QuickBooksSink, reference
from apps.connectors.vendors.quickbooks.streams import QuickBooksStream

MINUTE = 60
HOUR = 3600


class ProjectStream(QuickBooksStream):
    entity = "Customer"
    page_address = "https://app.qbo.intuit.com/app/customerdetail?nameId={}"
    is_name_list = True

    def belongs(self, item: JsonDict) -> bool:
        """What was deleted no longer tells what it was: a customer's id is unknown here, and does no harm."""
        return bool(item.get("Job")) or item.get("status") == "Deleted"

    def plain(self, item: JsonDict) -> JsonDict:
        return {**item, "CustomerId": self.connector.top_customer(item)}


class EmployeeStream(QuickBooksStream):
    entity = "Employee"
    page_address = "https://app.qbo.intuit.com/app/employees?id={}"
    is_name_list = True


class TimeStream(QuickBooksStream):
    entity = "TimeActivity"
    page_address = "https://app.qbo.intuit.com/app/timetracking?txnId={}"

    def plain(self, item: JsonDict) -> JsonDict:
        customer = (item.get("CustomerRef") or {}).get("value")
        return {
            **item,
            "Seconds": seconds_of(item),
            # Time may also be booked on the customer itself: that is no project.
            "ProjectId": customer if self.connector.is_job(customer) else None,
            "EmployeeId": (item.get("EmployeeRef") or {}).get("value"),
        }


class ProjectSink(ListSink):
    stream_type = ProjectStream

    def body(self, payload: JsonDict) -> JsonDict:
        return {name: payload[name] for name in ("DisplayName", "Active") if payload.get(name) is not None}

    def creation(self, payload: JsonDict) -> JsonDict:
        """A job belongs to its customer, and is billed with it."""
        made = {"DisplayName": payload.get("DisplayName") or "", "Job": True, "BillWithParent": True}
        return {**made, **reference("ParentRef", payload.get("CustomerId"))}

    def written(self, data: JsonDict) -> SourceRecord:
        self.connector.__dict__.pop("top_customers", None)
        return super().written(data)


class TimeSink(QuickBooksSink):
    stream_type = TimeStream

    def body(self, payload: JsonDict) -> JsonDict:
        seconds = int(payload["Seconds"])
        rounded = (seconds + MINUTE // 2) // MINUTE
        return {
            "TxnDate": payload["TxnDate"],
            "NameOf": "Employee",
            **reference("EmployeeRef", payload.get("EmployeeId")),
            **reference("CustomerRef", payload.get("ProjectId")),
            **reference("ItemRef", payload.get("ItemId")),
            "Hours": rounded // MINUTE,
            "Minutes": rounded % MINUTE,
            "Description": payload.get("Description") or "",
            "BillableStatus": "Billable" if payload.get("Billable") and payload.get("ProjectId") else "NotBillable",
        }

    def change(self, request: WriteRequest, held: dict[str, JsonDict]) -> JsonDict:
        """What is on an invoice already stays so."""
        fields = super().change(request, held)
        if held[fields["Id"]].get("BillableStatus") == "HasBeenBilled":
            fields["BillableStatus"] = "HasBeenBilled"
        return fields


def seconds_of(item: JsonDict) -> int:
    """Hours and minutes, or from start to end without the break, whichever QuickBooks holds."""
    if item.get("StartTime") and item.get("EndTime") and "Hours" not in item:
        start, end = (datetime.fromisoformat(item[name]) for name in ("StartTime", "EndTime"))
        pause = int(item.get("BreakHours") or 0) * HOUR + int(item.get("BreakMinutes") or 0) * MINUTE
        return int((end - start).total_seconds()) - pause
    return int(item.get("Hours") or 0) * HOUR + int(item.get("Minutes") or 0) * MINUTE
