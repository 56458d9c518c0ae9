"""Login of a My Domain: tokens whose lifetime Salesforce does not tell, refresh tokens that stay good."""

from __future__ import annotations

from datetime import timedelta

from werkzeug.wrappers import Response

from sandbox.oauth import IdentityServer
from sandbox.salesforce.vendor import VENDOR
from sandbox.statements import signed_claims
from sandbox.vendor import Call, json_response

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN = "https://login.salesforce.com"
LONGEST_STATEMENT = timedelta(minutes=3)


class Identity(IdentityServer):
    """People consent; a machine signs a statement about a user (`username`) that `certificate` (PEM) verifies."""

    def token(self, call: Call) -> Response:
        form = call.request.form
        if form.get("grant_type") != JWT_BEARER:
            return super().token(call)
        problem = self._problem(call, form.get("assertion", ""))
        if problem:
            return json_response({"error": "invalid_grant", "error_description": problem}, 400)
        return self._issue(call.account, "api", with_refresh=False)

    @staticmethod
    def _problem(call: Call, statement: str) -> str:
        accepted = call.account.credentials()
        found = signed_claims(
            statement, certificate=accepted.get("certificate", ""), algorithm="RS256", now=call.account.now(),
            longest=LONGEST_STATEMENT,
        )  # fmt: skip
        if found is None:
            return "invalid assertion"
        _, claims = found
        if claims.get("aud") != call.account.setting("login", LOGIN):
            return "audience is invalid"
        known = claims.get("iss") == accepted.get("client_id") and claims.get("sub") == accepted.get("username")
        return "" if known else "user hasn't approved this consumer"


SERVER = Identity("Salesforce", refreshes_always=True, rotates=False, tells_lifetime=False, access_seconds=7200)
VENDOR.route("/services/oauth2/authorize", methods=["GET"])(SERVER.consent_page)
VENDOR.route("/services/oauth2/authorize", methods=["POST"])(SERVER.decide)
VENDOR.route("/services/oauth2/token", methods=["POST"])(SERVER.token)
