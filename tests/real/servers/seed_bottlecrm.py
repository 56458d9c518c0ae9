"""Two organizations, each with an administrator who holds an access token; run inside the server's environment.

Firm is for tests of the connector alone, Northwind for the chain of systems: neither sees the other's records.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from common.models import Org, PersonalAccessToken, Profile, User  # noqa: E402
from common.tasks import set_rls_context  # noqa: E402


def token_of(name: str) -> str:
    org = Org.objects.create(name=name, default_currency="EUR")
    set_rls_context(org.id)
    user = User.objects.create_superuser(email=f"admin@{name.lower()}.test", password="admin-password")  # noqa: S106
    profile = Profile.objects.create(user=user, org=org, role="ADMIN", is_organization_admin=True)
    token, _ = PersonalAccessToken.generate(profile=profile, name="tests")
    return str(token)


sys.stdout.write(json.dumps({"api_key": token_of("Firm"), "northwind_api_key": token_of("Northwind")}) + "\n")
