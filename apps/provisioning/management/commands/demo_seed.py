from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.provisioning.demo import seed


class Command(BaseCommand):
    help = "Makes the demo's data. Started by `demo`, with the simulated vendors running."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--partner", help="only this partner's part, on a prepared database")
        parser.add_argument("--move-only", action="store_true", help="tell connections the simulators' new address")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["move_only"]:
            seed.move_connections()
        elif options["partner"]:
            seed.make_partner(options["partner"])
        else:
            seed.make_everything(self.stdout.write)
