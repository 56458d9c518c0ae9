"""What deleting does at Chargebee: objects stay and say that they are deleted; an invoice alone is voided instead."""

from __future__ import annotations

from sandbox.chargebee.site import JsonDict, Site, known, refuse


def delete_customer(site: Site, values: JsonDict, customer: JsonDict) -> JsonDict:
    """Takes everything of the customer along (Chargebee: minutes later; here: at once)."""
    known(values, {"delete_payment_method"})
    for kind in ("subscription", "invoice", "transaction"):
        for item in list(site.account.objects(kind).values()):
            if item["customer_id"] == customer["id"] and not item["deleted"]:
                site.save(kind, {**item, "deleted": True}, f"{kind}_deleted")
    return {"customer": site.save("customer", {**customer, "deleted": True}, "customer_deleted")}


def delete_transaction(site: Site, values: JsonDict, transaction: JsonDict) -> JsonDict:
    """Only what was recorded by hand; its invoices are open again."""
    known(values, {"comment"})
    if transaction["payment_method"] == "card":
        raise refuse("invalid_state_for_request", "Only offline transactions can be deleted.", status=409)
    for link in transaction["linked_invoices"]:
        invoice = site.require("invoice", link["invoice_id"])
        payments = [entry for entry in invoice["linked_payments"] if entry["txn_id"] != transaction["id"]]
        paid = invoice["amount_paid"] - link["applied_amount"]
        due = {"amount_paid": paid, "amount_due": invoice["total"] - paid, "status": "payment_due"}
        site.save("invoice", {**invoice, **due, "linked_payments": payments}, "invoice_updated")
    return site.save("transaction", {**transaction, "deleted": True}, "transaction_deleted")


def delete_usage(site: Site, values: JsonDict, subscription_id: str) -> JsonDict:
    """Gone from every list: usage alone leaves nothing behind."""
    known(values, {"id"})
    usage = site.require("usage", values.get("id"))
    if usage["subscription_id"] != subscription_id:
        raise refuse("resource_not_found", f"{usage['id']} not found", status=404)
    site.account.remove("usage", usage["id"])
    site.emit("usage_deleted", {"usage": usage})
    return usage
