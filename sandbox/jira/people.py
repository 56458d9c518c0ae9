"""People, among them the apps that Jira counts as people; and the site itself."""

from __future__ import annotations

from typing import Any

from sandbox.account import Account
from sandbox.jira.vendor import API, EDITORS, MAKERS, SHOWERS, VENDOR, ZONE, Row, announce, row_of, self_url
from sandbox.vendor import Call


def make_user(account: Account, data: Row) -> Row:
    number = account.next_number("users")
    row = {
        "accountId": f"712020:{number:08d}", "accountType": "atlassian", "displayName": f"Person {number}",
        "emailAddress": f"person{number}@example.org", "active": True, "timeZone": ZONE, **data,
    }  # fmt: skip
    account.put("users", row["accountId"], row)
    announce(account, "user_created", user=show(account, row))
    return row


def edit_user(account: Account, row: Row, data: Row) -> Row:
    row = {**row, **data}
    account.put("users", row["accountId"], row)
    announce(account, "user_updated", user=show(account, row))
    return row


def show(account: Account, row: Row) -> Row:
    shown = {"self": self_url(f"user?accountId={row['accountId']}"), "avatarUrls": {}, **row}
    return {name: value for name, value in shown.items() if value is not None}


MAKERS["users"] = make_user
EDITORS["users"] = edit_user
SHOWERS["users"] = show


@VENDOR.route(f"{API}/myself", methods=["GET"])
def myself(call: Call) -> Any:
    first = next(iter(call.account.objects("users").values()))
    return {**show(call.account, first), "locale": "en_US"}


@VENDOR.route(f"{API}/serverInfo", methods=["GET"])
@VENDOR.route("/rest/api/2/serverInfo", methods=["GET"])
def server_info(call: Call) -> Any:
    return {
        "baseUrl": f"https://{call.account.name}.atlassian.net", "version": "1001.0.0-SNAPSHOT", "buildNumber": 100263,
        "versionNumbers": [1001, 0, 0], "deploymentType": "Cloud", "serverTitle": "Jira",
    }  # fmt: skip


@VENDOR.route(f"{API}/users/search", methods=["GET"])
def users(call: Call) -> Any:
    """Apps without the right to be seen are taken out after the page was cut, so a page may come back short."""
    start, limit = int(call.args.get("startAt", 0)), int(call.args.get("maxResults", 50))
    page = list(call.account.objects("users").values())[start : start + limit]
    return [show(call.account, row) for row in page if not row.get("hidden")]


@VENDOR.route(f"{API}/user", methods=["GET"])
def user(call: Call) -> Any:
    return show(call.account, row_of(call.account, "users", call.args.get("accountId", "")))
