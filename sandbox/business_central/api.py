"""The routes of API v2.0, and Microsoft Entra's two endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from werkzeug.wrappers import Response

from sandbox.business_central import records
from sandbox.business_central.queries import listing, shown
from sandbox.business_central.records import Row, existing, refusal
from sandbox.business_central.vendor import VENDOR, companies, require_company
from sandbox.oauth import IdentityServer
from sandbox.vendor import Call, VendorError, json_response


class Entra(IdentityServer):
    """Grants tokens to people's consent, and to an application registered in the customer's own directory."""

    def token(self, call: Call) -> Response:
        form, accepted = call.request.form, call.account.credentials()
        if form.get("grant_type") != "client_credentials":
            return super().token(call)
        given = (form.get("client_id"), form.get("client_secret"))
        if given != (accepted.get("client_id"), accepted.get("client_secret")):
            return json_response({"error": "invalid_client"}, 401)
        if not str(form.get("scope", "")).endswith("/.default"):
            return json_response({"error": "invalid_scope"}, 400)
        return self._issue(call.account, form["scope"], with_refresh=False)


IDENTITY = Entra(name="Microsoft Entra")
PAGE_SIZE = re.compile(r"odata\.maxpagesize=(\d+)")
ENTITY = re.compile(r"^(\w+)(?:\(([\w-]+)\))?$")


@VENDOR.route("/<tenant>/oauth2/v2.0/authorize", methods=["GET", "POST"])
def authorize(call: Call, tenant: str) -> Any:
    return IDENTITY.consent_page(call) if call.request.method == "GET" else IDENTITY.decide(call)


@VENDOR.route("/<tenant>/oauth2/v2.0/token", methods=["POST"])
def token(call: Call, tenant: str) -> Any:
    return IDENTITY.token(call)


@VENDOR.route("/v2.0/<path:place>/api/v2.0/companies", methods=["GET"])
def list_companies(call: Call, place: str) -> Row:
    return {"value": companies(call.account)}


@VENDOR.route("/v2.0/<path:place>/api/v2.0/$batch", methods=["POST"])
def batch(call: Call, place: str) -> Row:
    """Each request stands for itself; the answers come in reverse, as no order is promised."""
    parts = [run_part(call, place, part) for part in call.json["requests"]]
    return {"responses": parts[::-1]}


def run_part(call: Call, place: str, part: Row) -> Row:
    company, _, path = part["url"].partition("/")
    split = urlsplit(path)
    arguments = dict(parse_qsl(split.query))
    try:
        require_company(company.removeprefix("companies(").removesuffix(")"))
        etag = str((part.get("headers") or {}).get("If-Match", ""))
        data, status = act_on(call, part["method"], split.path, arguments, part.get("body"), etag=etag)
    except VendorError as error:
        body = {"error": {"code": error.details.get("code", "BadRequest"), "message": error.message}}
        return {"id": part["id"], "status": error.status, "headers": {}, "body": body}
    return {"id": part["id"], "status": status, "headers": {}, "body": data}


@VENDOR.route(
    "/v2.0/<path:place>/api/v2.0/companies(<company>)/<path:path>", methods=["GET", "POST", "PATCH", "DELETE"]
)
def handle(call: Call, place: str, company: str, path: str) -> Any:
    require_company(company)
    etag = call.request.headers.get("If-Match", "")
    data, status = act_on(call, call.request.method, path, call.args.to_dict(), call.json, etag=etag)
    return Response(status=204) if status == 204 else json_response(data, status)


def act_on(
    call: Call, method: str, path: str, args: Mapping[str, str], body: Any, *, etag: str
) -> tuple[Row | None, int]:
    """`customers`, `customers(<id>)`, `customerPaymentJournals(<id>)/customerPayments(<id>)`, `…/Microsoft.NAV.post`."""
    parts = path.split("/")
    if parts[0].startswith("customerPaymentJournals(") and len(parts) > 1:
        existing(call.account, *split_entity(parts[0]))
        parts = parts[1:]
    name, row_id = split_entity(parts[0])
    records.entity_of(name)
    if len(parts) > 1:
        return bound_action(call, name, row_id, parts[1])
    if method == "POST":
        row = records.insert(call.account, name, body or {})
        return shown(name, row, args), 201
    if not row_id:
        return page_of(call, name, args), 200
    row = existing(call.account, name, row_id)
    if method == "GET":
        return shown(name, row, args), 200
    require_tag(row, etag)
    if method == "DELETE":
        call.account.remove(name, row_id)
        return None, 204
    return shown(name, records.change(call.account, name, row, body or {}), args), 200


def page_of(call: Call, name: str, args: Mapping[str, str]) -> Row:
    found = PAGE_SIZE.search(call.request.headers.get("Prefer", ""))
    # The link is a whole address on the vendor's host.
    url = call.request.base_url
    return listing(call.account, name, args, size=int(found[1]) if found else 100, url=url)


def bound_action(call: Call, name: str, row_id: str, action: str) -> tuple[None, int]:
    if (name, action) != ("salesInvoices", "Microsoft.NAV.post"):
        raise refusal("BadRequest_NotFound", f"Resource not found for the segment '{action}'.", 404)
    records.post_invoice(call.account, existing(call.account, name, row_id))
    return None, 204


def split_entity(text: str) -> tuple[str, str]:
    found = ENTITY.match(text)
    if found is None:
        raise refusal("BadRequest_NotFound", f"Resource not found for the segment '{text}'.", 404)
    return found[1], found[2] or ""


def require_tag(row: Row, etag: str) -> None:
    if not etag:
        raise refusal("BadRequest", "The request must include an If-Match header.", 400)
    if etag not in ("*", row["@odata.etag"]):
        message = "Could not validate the client concurrency token required by the service."
        raise refusal("Request_EntityChanged", message, 409)
