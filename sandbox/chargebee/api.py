"""The routes: configuration, lists, single objects, writes under idempotency keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from sandbox.chargebee import removals
from sandbox.chargebee import site as rules
from sandbox.chargebee.site import JsonDict, Site, refuse
from sandbox.chargebee.vendor import VENDOR
from sandbox.vendor import Call, json_response

API = "/api/v2"
LARGEST_PAGE = 100
_SORTED_BY = {"customer": "updated_at", "invoice": "updated_at", "transaction": "updated_at", "subscription": "updated_at",
              "usage": "updated_at", "quote": "date"}  # fmt: skip


@VENDOR.route(f"{API}/configurations", methods=["GET"])
def configurations(call: Call) -> JsonDict:
    found = {
        "domain": f"{call.account.name}-test",
        "product_catalog_version": "v2",
        "chargebee_response_schema_type": "compat",
    }
    return {"configurations": [found]}


@VENDOR.route(f"{API}/<any(customers, invoices, transactions, subscriptions, quotes, usages):name>", methods=["GET"])
def list_objects(call: Call, name: str) -> JsonDict:
    """The cursor is the stamp and number of the last object: it stands still whatever changes."""
    kind, args = name.removesuffix("s"), call.args
    order = _SORTED_BY[kind]
    allowed = {"limit", "offset", "include_deleted", "updated_at[after]", "id[is]", "customer_id[is]", "sort_by[asc]"}
    unknown = next((name for name in args if name not in allowed), None)
    if (
        unknown
        or args.get("sort_by[asc]", order) not in (order, "date")
        or (kind == "usage" and "include_deleted" in args)
    ):
        raise refuse("param_wrong_value", f"{unknown or 'sort_by'} : not allowed", param=unknown or "sort_by")
    items = [item for item in call.account.objects(kind).values() if _passes(item, args)]
    items.sort(key=lambda item: _place(item, order))
    if args.get("offset"):
        place = tuple(json.loads(args["offset"]))
        items = [item for item in items if _place(item, order) > place]
    size = min(int(args.get("limit", 10)), LARGEST_PAGE)
    answer: JsonDict = {"list": [{kind: item} for item in items[:size]]}
    if len(items) > size:
        answer["next_offset"] = json.dumps(_place(items[size - 1], order))
    return answer


@VENDOR.route(
    f"{API}/<any(customers, invoices, transactions, subscriptions, quotes):name>/<object_id>", methods=["GET"]
)
def get_object(call: Call, name: str, object_id: str) -> JsonDict:
    """Deleted objects are shown, and say so."""
    kind = name.removesuffix("s")
    found = Site(call.account).find(kind, object_id)
    if found is None:
        raise refuse("resource_not_found", f"{object_id} not found", status=404)
    return {kind: found}


@VENDOR.route(f"{API}/customers", methods=["POST"])
def create_customer(call: Call) -> Response:
    return once(call, lambda site, values: {"customer": rules.save_customer(site, values)})


@VENDOR.route(f"{API}/customers/<object_id>", methods=["POST"])
def change_customer(call: Call, object_id: str) -> Response:
    return once(
        call, lambda site, values: {"customer": rules.save_customer(site, values, site.require("customer", object_id))}
    )


@VENDOR.route(f"{API}/customers/<object_id>/delete", methods=["POST"])
def delete_customer(call: Call, object_id: str) -> Response:
    return once(call, lambda site, values: removals.delete_customer(site, values, site.require("customer", object_id)))


@VENDOR.route(f"{API}/transactions/<object_id>/delete_offline_transaction", methods=["POST"])
def delete_transaction(call: Call, object_id: str) -> Response:
    def act(site: Site, values: JsonDict) -> JsonDict:
        return {"transaction": removals.delete_transaction(site, values, site.require("transaction", object_id))}

    return once(call, act)


@VENDOR.route(f"{API}/subscriptions/<object_id>/delete_usage", methods=["POST"])
def delete_usage(call: Call, object_id: str) -> Response:
    return once(call, lambda site, values: {"usage": removals.delete_usage(site, values, object_id)})


@VENDOR.route(f"{API}/customers/<object_id>/update_billing_info", methods=["POST"])
def change_billing(call: Call, object_id: str) -> Response:
    return once(
        call, lambda site, values: {"customer": rules.save_billing(site, values, site.require("customer", object_id))}
    )


@VENDOR.route(f"{API}/customers/<object_id>/subscription_for_items", methods=["POST"])
def create_subscription(call: Call, object_id: str) -> Response:
    return once(call, lambda site, values: {"subscription": rules.save_subscription(site, values, object_id)})


@VENDOR.route(f"{API}/subscriptions/<object_id>/<any(update_for_items, cancel_for_items):step>", methods=["POST"])
def change_subscription(call: Call, object_id: str, step: str) -> Response:
    def act(site: Site, values: JsonDict) -> JsonDict:
        held = site.require("subscription", object_id)
        if step == "cancel_for_items":
            return {"subscription": rules.cancel_subscription(site, values, held)}
        return {"subscription": rules.save_subscription(site, values, held["customer_id"], held)}

    return once(call, act)


@VENDOR.route(f"{API}/subscriptions/<object_id>/usages", methods=["POST"])
def create_usage(call: Call, object_id: str) -> Response:
    return once(call, lambda site, values: {"usage": rules.new_usage(site, values, object_id)})


@VENDOR.route(f"{API}/invoices/create_for_charge_items_and_charges", methods=["POST"])
def create_invoice(call: Call) -> Response:
    return once(call, lambda site, values: {"invoice": rules.new_invoice(site, values)})


@VENDOR.route(f"{API}/invoices/<object_id>/<any(update_details, close, void):step>", methods=["POST"])
def change_invoice(call: Call, object_id: str, step: str) -> Response:
    return once(
        call,
        lambda site, values: {"invoice": rules.change_invoice(site, values, site.require("invoice", object_id), step)},
    )


@VENDOR.route(f"{API}/invoices/<object_id>/record_payment", methods=["POST"])
def record_payment(call: Call, object_id: str) -> Response:
    def act(site: Site, values: JsonDict) -> JsonDict:
        invoice, transaction = rules.record_payment(site, values, site.require("invoice", object_id))
        return {"invoice": invoice, "transaction": transaction}

    return once(call, act)


def once(call: Call, act: Callable[[Site, JsonDict], JsonDict]) -> Response:
    """A repeated key gets the first answer; with other parameters it is refused."""
    text = call.request.get_data(parse_form_data=False).decode()
    key = call.request.headers.get("chargebee-idempotency-key", "")
    known = call.account.objects("idempotency").get(key) if key else None
    if known is not None:
        if known["call"] != [call.path, text]:
            raise refuse("invalid_request", "This idempotency key was used with other parameters.")
        return json_response(known["body"], headers={"chargebee-idempotency-replayed": "true"})
    response = json_response(act(Site(call.account), rules.parse(_form(text))))
    if key:
        call.account.put("idempotency", key, {"call": [call.path, text], "body": json.loads(response.get_data())})
    return response


def _form(text: str) -> Any:

    return MultiDict(parse_qsl(text, keep_blank_values=True))


def _passes(item: JsonDict, args: Any) -> bool:
    if item["deleted"] and args.get("include_deleted") != "true":
        return False
    if item["updated_at"] <= int(args.get("updated_at[after]", 0)):
        return False
    if args.get("customer_id[is]") not in (None, item.get("customer_id")):
        return False
    wanted = args.get("id[is]")
    return wanted is None or item["id"] == wanted


def _place(item: JsonDict, order: str) -> tuple[int, int]:
    return (int(item[order]), int(item["resource_version"]) if order == "updated_at" else _number(item["id"]))


def _number(object_id: str) -> int:
    return int("".join(letter for letter in object_id if letter.isdecimal()) or 0)
