"""The paths of estimates: pages as the framework below has them, newest first."""

from __future__ import annotations

from typing import Any

from sandbox.bottlecrm.estimate_records import detailed, listed
from sandbox.bottlecrm.vendor import VENDOR
from sandbox.vendor import Call, VendorError

Json = dict[str, Any]
DEFAULT_LIMIT = 10


@VENDOR.route("/api/invoices/estimates/", methods=["GET"])
def list_estimates(call: Call) -> Json:
    limit, offset = int(call.args.get("limit") or DEFAULT_LIMIT), int(call.args.get("offset") or 0)
    found = sorted(call.account.objects("quotes").values(), key=lambda record: record["created_at"], reverse=True)
    page = [listed(record) for record in found[offset:][:limit]]
    return {"count": len(found), "next": None, "previous": None, "results": page}


@VENDOR.route("/api/invoices/estimates/<object_id>/", methods=["GET"])
def read_estimate(call: Call, object_id: str) -> Json:
    record = call.account.objects("quotes").get(object_id)
    if record is None:
        raise VendorError(404, message_only="Estimate not found")
    return {"estimate": detailed(call.account, record)}
