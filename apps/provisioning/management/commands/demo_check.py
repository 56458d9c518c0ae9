from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.provisioning.demo.check import CheckFailed, check_demo


class Command(BaseCommand):
    help = "Tries a running demo once, as its visitors would. Started by `demo --check`."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            check_demo(self.stdout.write)
        except CheckFailed as failure:
            raise CommandError(str(failure)) from failure
        self.stdout.write("Everything works.")
