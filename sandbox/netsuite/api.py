"""The routes: records, jobs, queries and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.netsuite import records
from sandbox.netsuite.records import existing, refusal
from sandbox.netsuite.suiteql import run
from sandbox.netsuite.vendor import VENDOR
from sandbox.oauth import IdentityServer
from sandbox.statements import signed_claims
from sandbox.vendor import Call, VendorError, json_response

RECORD = "/services/rest/record/v1/<name>"
JOB = "/services/rest/async/v1/job/<job>"
TOKEN = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - an address
LARGEST_PAGE = 1000
LONGEST_STATEMENT = timedelta(hours=1)


class Identity(IdentityServer):
    """People consent; machines sign a statement whose certificate (`certificate`, PEM) was registered by its id."""

    def token(self, call: Call) -> Response:
        form, accepted = call.request.form, call.account.credentials()
        if form.get("grant_type") != "client_credentials":
            return super().token(call)
        found = signed_claims(
            form.get("client_assertion", ""), certificate=accepted.get("certificate", ""), algorithm="PS256",
            now=call.account.now(), longest=LONGEST_STATEMENT,
        )  # fmt: skip
        if found is None or not self._is_ours(*found, accepted):
            return json_response({"error": "invalid_client"}, 401)
        return self._issue(call.account, "rest_webservices", with_refresh=False)

    @staticmethod
    def _is_ours(header: dict[str, Any], claims: dict[str, Any], accepted: dict[str, Any]) -> bool:
        """The certificate by its id, the integration by its consumer key, and meant for this address."""
        known = header.get("kid") == accepted.get("certificate_id") and claims.get("iss") == accepted.get("client_id")
        return known and claims.get("scope") == ["rest_webservices"] and str(claims.get("aud", "")).endswith(TOKEN)


IDENTITY = Identity(name="NetSuite", refreshes_always=True)


@VENDOR.route("/app/login/oauth2/authorize.nl", methods=["GET", "POST"])
def authorize(call: Call) -> Any:
    return IDENTITY.consent_page(call) if call.request.method == "GET" else IDENTITY.decide(call)


@VENDOR.route(TOKEN, methods=["POST"])
def token(call: Call) -> Any:
    return IDENTITY.token(call)


@VENDOR.route("/services/rest/query/v1/suiteql", methods=["POST"])
def suiteql(call: Call) -> Any:
    if call.request.headers.get("Prefer") != "transient":
        raise refusal("INVALID_HEADER", "The required request header 'Prefer' is missing or invalid.")
    rows = run(call.account, call.json["q"])
    offset, limit = int(call.args.get("offset", 0)), min(int(call.args.get("limit", LARGEST_PAGE)), LARGEST_PAGE)
    page = rows[offset : offset + limit]
    has_more = offset + limit < len(rows)
    return {
        "links": [], "count": len(page), "hasMore": has_more, "items": page, "offset": offset,
        "totalResults": len(rows),
    }  # fmt: skip


@VENDOR.route(RECORD, methods=["POST"])
def create(call: Call, name: str) -> Any:
    records.record_of(name)
    if "respond-async" not in call.request.headers.get("Prefer", ""):
        return created(call, name, records.insert(call.account, name, call.json)["id"])
    key = call.request.headers.get("X-NetSuite-idempotency-key", "")
    known = next((job for job in call.account.objects("jobs").values() if key and job["key"] == key), None)
    if known is not None:
        message = "A request with the same idempotency key is already submitted."
        raise VendorError(400, message, code="IDEMPOTENCY_ERROR", location=job_path(known["id"]))
    job = run_job(call.account, key, name, call.json)
    headers = {"Location": job_path(job["id"]), "Preference-Applied": "respond-async"}
    return Response(status=202, headers=headers)


def run_job(account: Account, key: str, name: str, body: Any) -> dict[str, Any]:
    """The work is done at once, and told after as many looks as the settings say."""
    job: dict[str, Any] = {"id": str(account.next_number("job", 500)), "key": key, "name": name, "looks": 0}
    try:
        job["record"] = records.insert(account, name, body)["id"]
    except VendorError as error:
        job["error"] = {"status": error.status, "message": error.message, "code": error.details.get("code", "")}
    account.put("jobs", job["id"], job)
    return job


@VENDOR.route(JOB, methods=["GET"])
def job_state(call: Call, job: str) -> Any:
    found = call.account.objects("jobs")[job]
    call.account.put("jobs", job, {**found, "looks": found["looks"] + 1})
    done = found["looks"] >= int(call.account.setting("job_polls", 0))
    return {"completed": done, "id": job, "progress": "succeeded" if done else "pending", "links": []}


@VENDOR.route(f"{JOB}/task", methods=["GET"])
def job_tasks(call: Call, job: str) -> Any:
    return {"items": [{"id": "1", "completed": True}], "count": 1, "hasMore": False}


@VENDOR.route(f"{JOB}/task/<task>/result", methods=["GET"])
def job_result(call: Call, job: str, task: str) -> Any:
    found = call.account.objects("jobs")[job]
    if "error" in found:
        error = found["error"]
        raise VendorError(error["status"], error["message"], code=error["code"])
    return created(call, found["name"], found["record"])


@VENDOR.route(f"{RECORD}/<key>", methods=["GET", "PATCH", "PUT", "DELETE"])
def handle(call: Call, name: str, key: str) -> Any:
    if call.request.method == "PUT":
        return upsert(call, name, key)
    row = existing(call.account, name, key)
    if call.request.method == "PATCH":
        records.change(call.account, name, row, call.json)
    elif call.request.method == "DELETE":
        records.remove(call.account, name, row)
    else:
        return {"links": [], "id": str(row["id"]), "externalId": row.get("externalid")}
    return Response(status=204)


def upsert(call: Call, name: str, key: str) -> Response:
    """204 both for a new record and for one that was there; only the new one has an address."""
    external = key.removeprefix("eid:")
    try:
        row = existing(call.account, name, key)
    except VendorError:
        return created(call, name, records.insert(call.account, name, {**call.json, "externalId": external})["id"])
    records.change(call.account, name, row, call.json)
    return Response(status=204)


def created(call: Call, name: str, record_id: Any) -> Response:
    root = call.request.base_url.split("/services/")[0]
    return Response(status=204, headers={"Location": f"{root}/services/rest/record/v1/{name}/{record_id}"})


def job_path(job: str) -> str:
    return f"/services/rest/async/v1/job/{job}"
