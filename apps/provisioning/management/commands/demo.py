from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.provisioning.demo import cast, stack, vendors
from apps.provisioning.demo.addresses import Ports
from config.local import children
from config.local.supervisor import Stopped


class Command(BaseCommand):
    help = "Runs the whole product with two partners and a month behind them, in the foreground. Ctrl-C ends it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="start everything, see that it works, stop")
        parser.add_argument("--quiet-vendors", action="store_true", help="nobody works at the simulated vendors")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with stack.running(self.stdout, with_life=not options["quiet_vendors"]) as demo:  # type: ignore[arg-type]
                self._greet(demo.ports)
                code = demo.check() if options["check"] else demo.supervisor.run()
        except (Stopped, KeyboardInterrupt):
            return
        except children.ServiceFailed as failure:
            raise CommandError(str(failure)) from failure
        if code:
            raise CommandError(
                "The demo did not stay up." if not options["check"] else "The check failed.", returncode=code
            )

    def _greet(self, ports: Ports) -> None:
        lines = ["", "Everyone's password: " + cast.PASSWORD, ""]
        for partner in cast.PARTNERS:
            site, customer = ports.site(partner.slug), partner.customers[0]
            lines += [
                f"{partner.name} ({partner.currency})",
                f"  partner portal   {site}/manage/   {partner.owner.email}",
                f"  customer portal  {site}/          {customer.contact.email}  ({customer.name})",
            ]
        lines += ["Platform", f"  back office      {ports.site('')}/partners/  {cast.OPERATOR_EMAIL}"]
        lines += ["Systems to connect for a customer of your own"]
        lines += [
            f"  {vendor:<15}  {ports.sandbox_url}/{vendor}/{vendors.TRIAL}   key {key}"
            for vendor in vendors.TRIAL_VENDORS
            for key in vendors.secrets_of(vendor, vendors.TRIAL).values()
        ]
        lines.append("")
        first = cast.PARTNERS[0]
        lines.append(f"Begin at {ports.site(first.slug)}/manage/ as {first.owner.email}. Ctrl-C stops everything.")
        self.stdout.write("\n".join(lines))
