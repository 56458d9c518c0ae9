"""The routes: account, lists, single objects, writes under idempotency keys, events, search."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from sandbox.stripe_billing import objects
from sandbox.stripe_billing.book import Book, listing
from sandbox.stripe_billing.forms import JsonDict, integer, known, nested, refuse, unknown
from sandbox.stripe_billing.vendor import VENDOR
from sandbox.vendor import Call, json_response

LISTS = {"customers": "customer", "invoices": "invoice", "charges": "charge", "subscriptions": "subscription",
         "quotes": "quote", "events": "event", "invoiceitems": "invoiceitem"}  # fmt: skip
FILTERS = {"limit", "starting_after", "ending_before", "created", "status", "customer", "type", "types", "invoice"}
LARGEST_PAGE = 100
Act = Callable[[Book, JsonDict, JsonDict], JsonDict]
STEPS: dict[str, Act] = {"finalize": objects.finalize, "pay": objects.pay, "void": objects.void}


@VENDOR.route("/v1/account", methods=["GET"])
def account(call: Call) -> JsonDict:
    name = call.account.name
    return {
        "id": f"acct_{name}", "object": "account", "business_profile": {"name": None}, "country": "DE", "type": "standard",
        "default_currency": "eur", "email": f"owner@{name}.test", "settings": {"dashboard": {"display_name": f"{name} Billing"}},
    }  # fmt: skip


@VENDOR.route("/v1/<any(customers, invoices, charges, subscriptions, quotes, events):name>", methods=["GET"])
def list_objects(call: Call, name: str) -> JsonDict:
    book, args = Book(call.account), known(_query(call), FILTERS)
    items = [item for item in book.all(LISTS[name]) if _passes(item, args, name)]
    return _page(book, items, args, f"/v1/{name}", LISTS[name])


@VENDOR.route("/v1/customers/search", methods=["GET"])
@VENDOR.route("/v1/invoices/search", methods=["GET"])
@VENDOR.route("/v1/subscriptions/search", methods=["GET"])
def search(call: Call) -> JsonDict:
    """Only metadata equality, which is what is asked for here; never lags, unlike the real one."""
    book, args = Book(call.account), known(_query(call), {"query", "limit", "page"})
    name = call.path.split("/")[2]
    match = re.fullmatch(r"metadata\['(\w+)'\]:'([^']*)'", args.get("query", ""))
    if not match:
        raise refuse("Your search query is malformed.", param="query")
    found = [item for item in book.all(LISTS[name]) if item["metadata"].get(match[1]) == match[2]]
    page = [book.show(item) for item in found[: integer(args, "limit", 10)]]
    return {"object": "search_result", "data": page, "has_more": False, "next_page": None, "url": f"/v1/{name}/search"}


@VENDOR.route(
    "/v1/<any(customers, invoices, charges, subscriptions, quotes, events):name>/<object_id>", methods=["GET"]
)
def get_object(call: Call, name: str, object_id: str) -> JsonDict:
    book = Book(call.account)
    gone = call.account.objects("deleted_customer").get(object_id) if name == "customers" else None
    return gone or book.expanded(book.require(LISTS[name], object_id), _paths(known(_query(call), set())))


@VENDOR.route("/v1/invoices/<object_id>/lines", methods=["GET"])
def invoice_lines(call: Call, object_id: str) -> JsonDict:
    book, args = Book(call.account), known(_query(call), FILTERS)
    lines = book.lines_of(book.require("invoice", object_id))
    start = next((n + 1 for n, line in enumerate(lines) if line["id"] == args.get("starting_after")), 0)
    size = _size(args)
    return listing(lines[start : start + size], f"/v1/invoices/{object_id}/lines", has_more=len(lines) > start + size)


@VENDOR.route("/v1/<any(customers, invoices, subscriptions, invoiceitems):name>", methods=["POST"])
def create(call: Call, name: str) -> Response:
    makers: dict[str, Callable[[Book, JsonDict], JsonDict]] = {
        "customers": lambda book, values: objects.save_customer(book, values, None),
        "invoices": objects.new_invoice,
        "subscriptions": objects.new_subscription,
        "invoiceitems": objects.save_item,
    }
    return _once(call, lambda book, values: makers[name](book, values))


@VENDOR.route("/v1/<any(customers, invoices, subscriptions):name>/<object_id>", methods=["POST"])
def change(call: Call, name: str, object_id: str) -> Response:
    acts: dict[str, Act] = {
        "customers": objects.save_customer,
        "invoices": objects.change_invoice,
        "subscriptions": objects.change_subscription,
    }
    return _once(call, lambda book, values: acts[name](book, values, book.require(LISTS[name], object_id)))


@VENDOR.route("/v1/invoices/<object_id>/<any(finalize, pay, void):step>", methods=["POST"])
def advance(call: Call, object_id: str, step: str) -> Response:
    return _once(call, lambda book, values: STEPS[step](book, values, book.require("invoice", object_id)))


@VENDOR.route("/v1/<any(customers, invoices, subscriptions, invoiceitems):name>/<object_id>", methods=["DELETE"])
def delete(call: Call, name: str, object_id: str) -> JsonDict:
    book = Book(call.account)
    held = book.require(LISTS[name], object_id)
    if name == "subscriptions":
        return objects.cancel_subscription(book, held)
    if name == "invoices" and held["status"] != "draft":
        raise refuse("You can only delete draft invoices.")
    if name in ("customers", "invoices"):
        VENDOR.delete_object(call.account, name, object_id)
    else:
        call.account.remove("invoiceitem", object_id)
    return {"id": object_id, "object": held["object"], "deleted": True}


def _once(call: Call, act: Callable[[Book, JsonDict], JsonDict]) -> Response:
    """A repeated key gets the first answer; with other parameters it is refused. Refused calls leave no trace."""
    text = call.request.get_data().decode()
    key = call.request.headers.get("Idempotency-Key", "")
    known_call = call.account.objects("idempotency").get(key) if key else None
    if known_call is not None:
        if known_call["call"] != [call.path, text]:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with."
            )
            raise refuse(message, kind="idempotency_error")
        return json_response(known_call["body"], headers={"Idempotent-Replayed": "true"})
    book, values = Book(call.account), nested(text)
    paths = _paths(values)
    response = json_response(book.expanded(act(book, values), paths))
    if key:
        call.account.put("idempotency", key, {"call": [call.path, text], "body": json.loads(response.get_data())})
    return response


def _query(call: Call) -> JsonDict:
    return nested(call.request.query_string.decode())


def _paths(values: JsonDict) -> list[str]:
    given: Any = values.pop("expand", [])
    return list(given) if isinstance(given, list) else [str(given)]


def _size(args: JsonDict) -> int:
    size = integer(args, "limit", 10)
    if not 1 <= size <= LARGEST_PAGE:
        raise refuse("This value must be between 1 and 100.", param="limit", code="parameter_invalid_integer")
    return size


def _page(book: Book, items: list[JsonDict], args: JsonDict, url: str, kind: str) -> JsonDict:
    ids = [item["id"] for item in items]
    after = args.get("starting_after")
    if after is not None and after not in ids:
        raise unknown(kind, after, param="starting_after", status=400)
    start = ids.index(after) + 1 if after else 0
    page = items[start : start + _size(args)]
    paths = [path.removeprefix("data.") for path in _paths(args)]
    return listing([book.expanded(item, paths) for item in page], url, has_more=len(items) > start + len(page))


def _passes(item: JsonDict, args: JsonDict, name: str) -> bool:
    since = args.get("created", {})
    if isinstance(since, dict) and item["created"] < int(since.get("gte", 0)):
        return False
    if name == "events":
        wanted = args.get("types") or ([args["type"]] if args.get("type") else [])
        patterns = [re.escape(entry).replace(r"\*", ".*") for entry in wanted]
        return not patterns or any(re.fullmatch(pattern, item["type"]) for pattern in patterns)
    if args.get("customer") and item.get("customer") != args["customer"]:
        return False
    status = args.get("status")
    if name == "subscriptions":
        return status == "all" or item["status"] == status or (status is None and item["status"] != "canceled")
    return status is None or item["status"] == status
