"""The accounting API's routes: connections, lists, single objects, batches of writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from sandbox.clock import iso_millis, parse_time
from sandbox.oauth import IdentityServer
from sandbox.vendor import Call, VendorError, json_response
from sandbox.xero import queries, views, wire
from sandbox.xero.books import Books, Invalid, stable_id
from sandbox.xero.contacts import save_contact
from sandbox.xero.invoices import save_invoice
from sandbox.xero.payments import delete_payment, save_payment
from sandbox.xero.vendor import VENDOR
from sandbox.xero.wire import JsonDict

API = "/api.xro/2.0"
# From memory, not from Xero's description: how long an Idempotency-Key is remembered.
IDEMPOTENCY_WINDOW = timedelta(minutes=6)
LONGEST_IDEMPOTENCY_KEY = 128
ID_FIELDS = {"Contacts": "ContactID", "Invoices": "InvoiceID", "Payments": "PaymentID"}
Saver = Callable[[Books, JsonDict], JsonDict]

# "If you don't receive the response you can retry refreshing the old token for a grace period of 30 minutes":
# Xero's answer at https://community.xero.com/developer/discussion/105714701/
IDENTITY = IdentityServer("Xero", grace_seconds=1800)
VENDOR.route("/identity/connect/authorize", methods=["GET"])(IDENTITY.consent_page)
VENDOR.route("/identity/connect/authorize", methods=["POST"])(IDENTITY.decide)
VENDOR.route("/connect/token", methods=["POST"])(IDENTITY.token)


# Xero does not mind the case of addresses; its own SDK asks for /Connections.
@VENDOR.route("/Connections", methods=["GET"])
@VENDOR.route("/connections", methods=["GET"])
def connections(call: Call) -> list[JsonDict]:
    books = Books(call.account)
    since = books.now.replace(tzinfo=None).isoformat() + "0"
    return [
        {
            "id": stable_id(call.account.name, "connection"),
            "authEventId": stable_id(call.account.name, "auth-event"),
            "tenantId": books.tenant_id,
            "tenantType": "ORGANISATION",
            "tenantName": books.organisation()["Name"],
            "createdDateUtc": since,
            "updatedDateUtc": since,
        }
    ]


@VENDOR.route(f"{API}/Organisation", methods=["GET"])
@VENDOR.route(f"{API}/Organisations", methods=["GET"])
def organisation(call: Call) -> JsonDict:
    books = Books(call.account)
    return wire.envelope("Organisations", [books.organisation()], books.now)


@VENDOR.route(f"{API}/Accounts", methods=["GET"])
def accounts(call: Call) -> JsonDict:
    books = Books(call.account)
    return wire.envelope("Accounts", books.accounts(), books.now)


@VENDOR.route(f"{API}/TaxRates", methods=["GET"])
def tax_rates(call: Call) -> JsonDict:
    books = Books(call.account)
    return wire.envelope("TaxRates", books.tax_rates(), books.now)


@VENDOR.route(f"{API}/<any(Contacts, Invoices, Payments):name>", methods=["GET"])
def list_objects(call: Call, name: str) -> JsonDict:
    books = Books(call.account)
    items = books.all(name.lower())
    if name == "Contacts" and call.args.get("includeArchived", "false").lower() != "true":
        items = [item for item in items if item["ContactStatus"] != "ARCHIVED"]
    since = queries.modified_since(call.request.headers.get("If-Modified-Since"))
    listing = queries.select(items, call.args, id_field=ID_FIELDS[name], since=since)
    shown = [views.LISTED[name](books, item, listing.pagination is not None) for item in listing.items]
    return wire.envelope(name, shown, books.now, pagination=listing.pagination)


@VENDOR.route(f"{API}/Quotes", methods=["GET"])
def list_quotes(call: Call) -> JsonDict:
    """Pages of a hundred, whatever is asked for, and no word on how many there are."""
    books = Books(call.account)
    if unknown := set(call.args) & {"pageSize", "where"}:
        raise VendorError(400, f"Quotes do not know {', '.join(sorted(unknown))}")
    since = queries.modified_since(call.request.headers.get("If-Modified-Since"))
    listing = queries.select(books.all("quotes"), call.args, id_field="QuoteID", since=since)
    return wire.envelope("Quotes", listing.items, books.now)


@VENDOR.route(f"{API}/Quotes/<object_id>", methods=["GET"])
def get_quote(call: Call, object_id: str) -> JsonDict:
    books = Books(call.account)
    quote = books.find("quotes", object_id)
    if quote is None:
        raise VendorError(404)
    return wire.envelope("Quotes", [quote], books.now)


@VENDOR.route(f"{API}/<any(Contacts, Invoices, Payments):name>/<object_id>", methods=["GET"])
def get_object(call: Call, name: str, object_id: str) -> JsonDict:
    books = Books(call.account)
    item = books.find(name.lower(), object_id)
    if item is None and name == "Invoices":
        item = next((i for i in books.all("invoices") if i["InvoiceNumber"] == object_id), None)
    if item is None:
        raise VendorError(404)
    return wire.envelope(name, [views.SINGLE[name](books, item)], books.now)


@VENDOR.route(f"{API}/<any(Contacts, Invoices, Payments):name>", methods=["PUT", "POST"])
def write_objects(call: Call, name: str) -> Response:
    savers: dict[str, Saver] = {
        "Contacts": lambda books, fields: save_contact(books, fields, upsert=call.request.method == "POST"),
        "Invoices": save_invoice,
        "Payments": save_payment,
    }
    return _idempotent(call, lambda: _write_batch(call, name, savers[name]))


@VENDOR.route(f"{API}/<any(Contacts, Invoices):name>/<object_id>", methods=["POST"])
def write_object(call: Call, name: str, object_id: str) -> Response:
    def save(books: Books, fields: JsonDict) -> JsonDict:
        fields = {**fields, ID_FIELDS[name]: object_id}
        return save_contact(books, fields, upsert=True) if name == "Contacts" else save_invoice(books, fields)

    return _idempotent(call, lambda: _write_batch(call, name, save))


@VENDOR.route(f"{API}/Payments/<object_id>", methods=["POST"])
def reverse_payment(call: Call, object_id: str) -> Response:
    payment = Books(call.account).find("payments", object_id)
    if payment is None or not isinstance(call.json, dict) or call.json.get("Status") != "DELETED":
        raise VendorError(404 if payment is None else 400, "Only the status DELETED can be set")
    return _idempotent(
        call, lambda: _write_batch(call, "Payments", lambda books, fields: delete_payment(books, payment))
    )


def _write_batch(call: Call, name: str, save: Saver) -> Response:
    """Each element on its own; with summarizeErrors (the default) one bad element refuses the whole call."""
    books = Books(call.account)
    is_summary = call.args.get("summarizeErrors", "true").lower() == "true"
    elements, is_any_bad = [], False
    before = _snapshot(call) if is_summary else {}
    for fields in _elements_of(call.json, name):
        try:
            shown = views.SINGLE[name](books, save(books, fields))
            elements.append(shown if is_summary else {**shown, "StatusAttributeString": "OK"})
        except Invalid as error:
            is_any_bad = True
            elements.append(_refused_element(fields, error, name))
    if is_any_bad and is_summary:
        _restore(call, before)
        raise VendorError(400, elements=elements)
    return json_response(wire.envelope(name, elements, books.now))


def _elements_of(body: Any, name: str) -> list[JsonDict]:
    """The list under the plural name; a single object is taken as it is, as Xero does."""
    given = body.get(name, body) if isinstance(body, dict) else None
    elements: list[Any] = given if isinstance(given, list) else [given]
    if not all(isinstance(element, dict) for element in elements):
        raise VendorError(400, "JSON for post data was empty or invalid")
    return elements


def _refused_element(fields: JsonDict, error: Invalid, name: str) -> JsonDict:
    id_field = ID_FIELDS[name]
    return {
        **fields,
        id_field: fields.get(id_field, "00000000-0000-0000-0000-000000000000"),
        "HasErrors" if name == "Invoices" else "HasValidationErrors": True,
        "StatusAttributeString": "ERROR",
        "ValidationErrors": [{"Message": message} for message in error.messages],
    }


def _snapshot(call: Call) -> dict[str, dict[str, JsonDict]]:
    kinds = ("contacts", "invoices", "payments")
    return {kind: dict(call.account.objects(kind)) for kind in kinds}


def _restore(call: Call, before: dict[str, dict[str, JsonDict]]) -> None:
    for kind, objects in before.items():
        for object_id in [i for i in call.account.objects(kind) if i not in objects]:
            call.account.remove(kind, object_id)
        changed = [(i, o) for i, o in objects.items() if call.account.objects(kind).get(i) is not o]
        if changed:
            call.account.put_many(kind, changed)


def _idempotent(call: Call, act: Callable[[], Response]) -> Response:
    """A repeated Idempotency-Key gets the first answer again, for as long as the key is remembered."""
    key = call.request.headers.get("Idempotency-Key", "")
    if not key:
        return act()
    if len(key) > LONGEST_IDEMPOTENCY_KEY:
        raise VendorError(400, "Idempotency-Key must not exceed 128 characters", number=10)
    place = f"{call.request.method} {call.path} {key}"
    known = call.account.objects("idempotency").get(place)
    if known and parse_time(known["at"]) + IDEMPOTENCY_WINDOW > call.account.now():
        return json_response(known["body"])
    response = act()
    remembered = {"at": iso_millis(call.account.now()), "body": json.loads(response.get_data())}
    call.account.put("idempotency", place, remembered)
    return response
