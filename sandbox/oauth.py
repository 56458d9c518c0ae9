"""An identity server that vendors share: a consent page to click through, tokens, refresh tokens that work once."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import unquote_plus, urlencode

from werkzeug.wrappers import Request, Response

from sandbox.account import Account
from sandbox.clock import iso_millis, parse_time
from sandbox.vendor import Call, bearer_token, json_response

ACCESS_TOKEN_SECONDS = 1800
CODE_SECONDS = 300
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{vendor} | Authorize</title></head>
<body>
<h1>Authorize the application</h1>
<p>{client} wants access to <strong>{organization}</strong>:</p>
<ul>{scopes}</ul>
<form method="post">
{fields}
<button type="submit" name="decision" value="allow">Allow access</button>
<button type="submit" name="decision" value="deny">Cancel</button>
</form>
</body></html>"""
_PASSED_ON = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")


@dataclass(frozen=True)
class IdentityServer:
    """`redirected` gives what a vendor adds to the redirect; `refreshes_always` grants a refresh token unasked.

    `rotates`: a refresh token works once. `grace_seconds`: for so long the one before is good for another try, in case
    the answer got lost on its way. `tells_lifetime`: token answers have `expires_in`.
    """

    name: str
    redirected: Callable[[Account], dict[str, str]] = lambda account: {}
    refreshes_always: bool = False
    rotates: bool = True
    grace_seconds: int = 0
    tells_lifetime: bool = True
    access_seconds: int = ACCESS_TOKEN_SECONDS

    def consent_page(self, call: Call) -> Response:
        problem = _authorize_problem(call.account, call.args)
        if problem:
            return Response(
                f"<h1>Sorry, something went wrong</h1><p>{escape(problem)}</p>", 400, content_type="text/html"
            )
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{escape(call.args.get(name, ""))}">' for name in _PASSED_ON
        )
        scopes = "".join(f"<li>{escape(scope)}</li>" for scope in call.args.get("scope", "").split())
        page = PAGE.format(
            vendor=escape(self.name),
            client=escape(call.args.get("client_id", "")),
            organization=escape(call.account.name),
            scopes=scopes,
            fields=fields,
        )
        return Response(page, content_type="text/html; charset=utf-8")

    def decide(self, call: Call) -> Response:
        """Send the browser back with a code, or with access_denied."""
        form = call.request.form
        problem = _authorize_problem(call.account, {**form, "response_type": "code"})
        if problem:
            return Response(escape(problem), 400, content_type="text/html")
        if form.get("decision") != "allow":
            return _redirect(form["redirect_uri"], {"error": "access_denied", "state": form.get("state", "")})
        code = secrets.token_urlsafe(24)
        grant = {
            "client_id": form["client_id"],
            "redirect_uri": form["redirect_uri"],
            "scope": form.get("scope", ""),
            "challenge": form.get("code_challenge", ""),
            "expires_at": iso_millis(call.account.now() + timedelta(seconds=CODE_SECONDS)),
        }
        call.account.put("oauth_codes", code, grant)
        granted = {
            "code": code,
            "scope": grant["scope"],
            "state": form.get("state", ""),
            **self.redirected(call.account),
        }
        return _redirect(form["redirect_uri"], granted)

    def token(self, call: Call) -> Response:
        """RFC 6749 §4.1.3 and §6."""
        form = call.request.form
        if not _is_known_client(call.account, call.request):
            return _refused("invalid_client", 401)
        if form.get("grant_type") == "authorization_code":
            return self._redeem_code(call.account, form)
        if form.get("grant_type") == "refresh_token":
            return self._refresh(call.account, form.get("refresh_token", ""))
        return _refused("unsupported_grant_type")

    def _redeem_code(self, account: Account, form: Any) -> Response:
        grant = account.objects("oauth_codes").get(form.get("code", ""))
        account.remove("oauth_codes", form.get("code", ""))
        if grant is None or parse_time(grant["expires_at"]) <= account.now():
            return _refused("invalid_grant")
        if form.get("redirect_uri") != grant["redirect_uri"]:
            return _refused("invalid_grant")
        if grant["challenge"] and _challenge(form.get("code_verifier", "")) != grant["challenge"]:
            return _refused("invalid_grant")
        return self._issue(account, grant["scope"])

    def _refresh(self, account: Account, refresh_token: str) -> Response:
        known = account.objects("oauth_refresh_tokens").get(refresh_token)
        if known and "usable_until" in known and parse_time(known["usable_until"]) <= account.now():
            return _refused("invalid_grant")
        fixed = account.credentials().get("refresh_token")
        is_used = self.rotates and account.setting("seed_refresh_token_used")
        if known is None and (not refresh_token or refresh_token != fixed or is_used):
            return _refused("invalid_grant")
        scope = known["scope"] if known else "offline_access"
        if not self.rotates:
            return self._issue(account, scope, with_refresh=False)
        if known is None:
            account.set_setting("seed_refresh_token_used", True)
        self._retire(account, refresh_token, known)
        return self._issue(account, scope)

    def _retire(self, account: Account, refresh_token: str, known: dict[str, Any] | None) -> None:
        if known and self.grace_seconds:
            until = iso_millis(account.now() + timedelta(seconds=self.grace_seconds))
            # Another try leaves the end where the first use put it.
            account.put("oauth_refresh_tokens", refresh_token, {"usable_until": until, **known})
        else:
            account.remove("oauth_refresh_tokens", refresh_token)

    def _issue(self, account: Account, scope: str, *, with_refresh: bool = True) -> Response:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        expires_at = iso_millis(account.now() + timedelta(seconds=self.access_seconds))
        account.put("oauth_access_tokens", access, {"expires_at": expires_at})
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": "Bearer",
            "scope": scope,
        }
        if self.tells_lifetime:
            answer["expires_in"] = self.access_seconds
        if with_refresh and (self.refreshes_always or "offline_access" in scope.split()):
            account.put("oauth_refresh_tokens", refresh, {"scope": scope})
            answer["refresh_token"] = refresh
        return json_response(answer, headers={"Cache-Control": "no-store"})


def is_valid_access_token(account: Account, request: Request) -> bool:
    given = bearer_token(request)
    fixed = account.credentials().get("access_token")
    if given and fixed and secrets.compare_digest(given, fixed):
        return True
    issued = account.objects("oauth_access_tokens").get(given)
    return issued is not None and parse_time(issued["expires_at"]) > account.now()


def _authorize_problem(account: Account, args: Any) -> str:
    client_id = account.credentials().get("client_id")
    if args.get("response_type") != "code":
        return "unsupported_response_type"
    if not args.get("client_id") or (client_id and args["client_id"] != client_id):
        return "unauthorized_client"
    if not str(args.get("redirect_uri", "")).startswith(("http://", "https://")):
        return "invalid redirect_uri"
    if args.get("code_challenge") and args.get("code_challenge_method") != "S256":
        return "invalid_request: only S256"
    return ""


def _is_known_client(account: Account, request: Request) -> bool:
    """The configured application; before one is configured, any."""
    accepted = account.credentials()
    given_id, given_secret = _client_of(request)
    if "client_id" not in accepted:
        return bool(given_id)
    return given_id == accepted["client_id"] and given_secret == accepted.get("client_secret", "")


def _client_of(request: Request) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.form.get("client_id", ""), request.form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _redirect(uri: str, params: dict[str, str]) -> Response:
    separator = "&" if "?" in uri else "?"
    return Response(status=302, headers={"Location": uri + separator + urlencode(params)})


def _refused(code: str, status: int = 400) -> Response:
    return json_response({"error": code}, status)
