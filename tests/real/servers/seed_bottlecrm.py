"""One organization with an administrator who holds an access token; run inside the server's environment."""

from __future__ import annotations

import json
import sys

import django

django.setup()

from common.models import Org, PersonalAccessToken, Profile, User  # noqa: E402
from common.tasks import set_rls_context  # noqa: E402

org = Org.objects.create(name="Firm", default_currency="EUR")
set_rls_context(org.id)
user = User.objects.create_superuser(email="admin@firm.test", password="admin-password")  # noqa: S106
profile = Profile.objects.create(user=user, org=org, role="ADMIN", is_organization_admin=True)
token, _ = PersonalAccessToken.generate(profile=profile, name="tests")
sys.stdout.write(json.dumps({"api_key": token, "organization": str(org.id), "profile": str(profile.id)}) + "\n")
