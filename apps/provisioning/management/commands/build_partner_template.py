from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.core import clock
from apps.provisioning.schema_template import build_template


class Command(BaseCommand):
    help = "Migrates the template schema and stores its SQL. Run at every deploy, after migrate_schemas --shared."

    def handle(self, *args: Any, **options: Any) -> None:
        template = build_template(now=clock.now())
        self.stdout.write(f"template {template.fingerprint}: {len(template.sql):,} characters of SQL")
