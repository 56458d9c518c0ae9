from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.connectors.services.rotation import rotate_secrets
from apps.core.planes import public_plane, tenant_plane
from apps.tenants.selectors import list_partners


class Command(BaseCommand):
    help = "Seal every stored secret of every partner with the newest key. Afterwards older keys may be taken away."

    def handle(self, *args: Any, **options: Any) -> None:
        with public_plane():
            schemas = list(list_partners().exclude(provisioned_at=None).values_list("schema_name", flat=True))
        totals = [0, 0, 0, 0]
        for schema in schemas:
            with tenant_plane(schema):
                count = rotate_secrets()
            totals = [
                total + new
                for total, new in zip(
                    totals, (count.credentials, count.apps, count.consents, count.webhooks), strict=True
                )
            ]
        credentials, apps, consents, webhooks = totals
        self.stdout.write(
            f"{len(schemas)} partners: {credentials} credentials, {apps} apps, {consents} open consents and "
            f"{webhooks} webhook secrets sealed anew."
        )
