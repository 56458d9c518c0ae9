from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.core import clock
from apps.provisioning.services import open_platform
from apps.provisioning.upgrades import load_released_templates, upgrade_schemas


class Command(BaseCommand):
    help = "Migrates every schema that lacks a migration and adds newly shipped templates. Run at every deploy."

    def handle(self, *args: Any, **options: Any) -> None:
        upgraded = upgrade_schemas()
        self.stdout.write(f"migrated: {', '.join(upgraded)}" if upgraded else "Nothing to migrate.")
        if open_platform(now=clock.now()):
            self.stdout.write(f"The platform answers at {settings.PLATFORM_DOMAIN}.")
        loaded = load_released_templates(clock.now())
        if loaded:
            self.stdout.write(f"new templates: {', '.join(loaded)}")
