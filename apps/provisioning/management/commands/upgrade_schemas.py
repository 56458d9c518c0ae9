from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.provisioning.upgrades import upgrade_schemas


class Command(BaseCommand):
    help = "Migrates public and every partner's schema that lacks a migration. Run at every deploy."

    def handle(self, *args: Any, **options: Any) -> None:
        upgraded = upgrade_schemas()
        self.stdout.write(f"migrated: {', '.join(upgraded)}" if upgraded else "Nothing to migrate.")
