"""The accounting API's routes: company, query, change data capture, single objects, batches."""

from __future__ import annotations

import json
from collections.abc import Callable

from werkzeug.wrappers import Response

from sandbox.oauth import IdentityServer
from sandbox.quickbooks import entities, queries
from sandbox.quickbooks.company import ENTITIES, ZONE, Company, JsonDict, Refused, realm_of
from sandbox.quickbooks.vendor import VENDOR
from sandbox.vendor import Call, VendorError, json_response

COMPANY = "/v3/company/<realm>"
LARGEST_BATCH = 30
LONGEST_REQUEST_ID = 50
CAPTURE_CAP = 1000
CAPTURE_DAYS = 30
_OPERATIONS: dict[str, Callable[[Company, str, JsonDict], JsonDict]] = {
    "void": entities.void,
    "delete": entities.remove,
    "update": entities.save,
    "create": entities.save,
}
IDENTITY = IdentityServer("Intuit", lambda account: {"realmId": realm_of(account)}, refreshes_always=True)
VENDOR.route("/connect/oauth2", methods=["GET"])(IDENTITY.consent_page)
VENDOR.route("/connect/oauth2", methods=["POST"])(IDENTITY.decide)
VENDOR.route("/oauth2/v1/tokens/bearer", methods=["POST"])(IDENTITY.token)


@VENDOR.route(f"{COMPANY}/companyinfo/<company_id>", methods=["GET"])
def company_info(call: Call, realm: str, company_id: str) -> JsonDict:
    return _timed(call, {"CompanyInfo": Company(call.account).info()})


@VENDOR.route(f"{COMPANY}/query", methods=["GET", "POST"])
def query(call: Call, realm: str) -> JsonDict:
    statement = call.args.get("query") or call.request.get_data().decode()
    return _timed(call, {"QueryResponse": queries.run(Company(call.account), statement)})


@VENDOR.route(f"{COMPANY}/cdc", methods=["GET"])
def change_data_capture(call: Call, realm: str) -> JsonDict:
    """Cut at 1,000 objects without a word; older than 30 days is refused."""
    company = Company(call.account)
    since = queries.moment(call.args.get("changedSince", ""))
    if (company.now - since).days >= CAPTURE_DAYS:
        raise Refused("2010", "Invalid changedSince", "Date should not be older than 30 days")
    room = int(call.account.setting("capture_cap", CAPTURE_CAP))
    answers = []
    for entity in call.args.get("entities", "").split(","):
        found = queries.changed(company, entity, call.args["changedSince"])[:room]
        room -= len(found)
        answers.append({entity: found, "startPosition": 1, "maxResults": len(found)} if found else {})
    return _timed(call, {"CDCResponse": [{"QueryResponse": answers}]})


@VENDOR.route(f"{COMPANY}/batch", methods=["POST"])
def batch(call: Call, realm: str) -> Response:
    """Every item on its own; a refused one carries its fault."""
    items = call.json.get("BatchItemRequest") if isinstance(call.json, dict) else None
    if not items:
        raise Refused("400", "MalformedRequest", "Batch Request is Empty")
    if len(items) > LARGEST_BATCH:
        raise Refused("1040", "Batch size exceeded", "No more than 30 items")
    return _once(call, lambda: {"BatchItemResponse": [_batch_item(call, item) for item in items]})


@VENDOR.route(f"{COMPANY}/<name>", methods=["POST"])
def write(call: Call, realm: str, name: str) -> Response:
    entity = _entity(name)
    if not isinstance(call.json, dict):
        raise Refused("2010", "Request has invalid or unsupported property", "the body is not an object")
    act = _OPERATIONS.get(call.args.get("operation", "update"))
    if act is None:
        raise Refused("500", "Unsupported Operation", f"Operation {call.args['operation']} is not supported.")
    return _once(call, lambda: {entity: act(Company(call.account), entity, call.json)})


@VENDOR.route(f"{COMPANY}/<name>/<object_id>", methods=["GET"])
def read(call: Call, realm: str, name: str, object_id: str) -> JsonDict:
    entity = _entity(name)
    return _timed(call, {entity: Company(call.account).require(entity, object_id)})


def _batch_item(call: Call, item: JsonDict) -> JsonDict:
    entity = next((name for name in item if name in ENTITIES), None)
    try:
        if "Query" in item:
            return {"QueryResponse": queries.run(Company(call.account), item["Query"]), "bId": item["bId"]}
        if entity is None:
            raise Refused("2010", "Request has invalid or unsupported property", "no entity in the batch item")
        made = _OPERATIONS[item["operation"]](Company(call.account), entity, item[entity])
        return {entity: made, "bId": item["bId"]}
    except VendorError as error:
        entry = {
            "Message": error.message,
            "Detail": error.details.get("detail", ""),
            "code": error.details.get("code", ""),
        }
        return {"Fault": {"Error": [entry], "type": error.details.get("type", "ValidationFault")}, "bId": item["bId"]}


def _once(call: Call, act: Callable[[], JsonDict]) -> Response:
    """A repeated requestid gets the first answer again."""
    key = call.args.get("requestid", "")
    if len(key) > LONGEST_REQUEST_ID:
        raise Refused("2050", "String length is either shorter or longer than supported", "requestid")
    known = call.account.objects("requests").get(key) if key else None
    if known is not None:
        return json_response(known)
    response = json_response(_timed(call, act()))
    if key:
        call.account.put("requests", key, json.loads(response.get_data()))
    return response


def _entity(name: str) -> str:
    found = next((entity for entity in ENTITIES if entity.lower() == name.lower()), None)
    if found is None:
        raise VendorError(404, f"Resource {name} not found")
    return found


def _timed(call: Call, answer: JsonDict) -> JsonDict:
    return {**answer, "time": call.account.now().astimezone(ZONE).isoformat(timespec="milliseconds")}
