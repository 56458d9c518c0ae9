from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.provisioning.demo import life


class Command(BaseCommand):
    help = "Keeps the simulated vendors' users busy until it is stopped. Started by `demo`."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        life.live()
