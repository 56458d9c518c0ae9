"""Login of a My Domain: tokens whose lifetime Salesforce does not tell, refresh tokens that stay good."""

from __future__ import annotations

from sandbox.oauth import IdentityServer
from sandbox.salesforce.vendor import VENDOR

SERVER = IdentityServer("Salesforce", refreshes_always=True, rotates=False, tells_lifetime=False, access_seconds=7200)
VENDOR.route("/services/oauth2/authorize", methods=["GET"])(SERVER.consent_page)
VENDOR.route("/services/oauth2/authorize", methods=["POST"])(SERVER.decide)
VENDOR.route("/services/oauth2/token", methods=["POST"])(SERVER.token)
