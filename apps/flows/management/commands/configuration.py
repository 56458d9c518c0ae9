"""A customer's integrations, or what holds for all customers, as a text, in and out: export, plan, apply."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.core.actor import Actor, system_actor
from apps.core.errors import AnticipatedError
from apps.core.planes import public_plane, tenant_plane
from apps.customers.models import Environment
from apps.flows.configuration import export_environment
from apps.flows.services.configuration import apply_configuration
from apps.flows.services.partner_configuration import KIND, PartnerPlan, apply_partner, export_partner, plan_partner
from apps.flows.services.planning import ConfigurationPlan, plan_configuration
from apps.flows.sources import InvalidSource, read_document
from apps.tenants.models import Partner


class Command(BaseCommand):
    help = "Exports a customer's integrations (or what holds for all customers) as YAML, or shows and carries out what such a text changes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["export", "plan", "apply"])
        parser.add_argument("--partner", required=True, help="The partner's short name.")
        parser.add_argument(
            "--customer", default="", help="The customer's short name; for export. Empty: what holds for all."
        )
        parser.add_argument("--environment", default="production", choices=["production", "sandbox"])
        parser.add_argument(
            "--file", default="-", help="Where the text is, or goes; - is the standard input or output."
        )
        parser.add_argument("--with-removals", action="store_true", help="Retire what the text does not name.")

    def handle(self, *args: Any, **options: Any) -> None:
        with public_plane():
            partner = Partner.objects.filter(slug=options["partner"]).first()
        if partner is None:
            raise CommandError(f"There is no partner {options['partner']}.")
        with tenant_plane(partner.schema_name):
            try:
                self._carry_out(options)
            except AnticipatedError as error:
                raise CommandError(error.user_message) from error

    def _carry_out(self, options: dict[str, Any]) -> None:
        actor = system_actor("Command line")
        if options["what"] == "export":
            self._write(options["file"], self._export(options))
            return
        text = sys.stdin.read() if options["file"] == "-" else Path(options["file"]).read_text(encoding="utf-8")
        if _is_of_partner(text):
            self._carry_out_partner(actor, text, is_applied=options["what"] == "apply")
            return
        plan = plan_configuration(actor=actor, text=text)
        self._show(plan, with_removals=options["with_removals"])
        if options["what"] == "apply" and not plan.is_empty:
            apply_configuration(actor=actor, now=clock.now(), text=text, with_removals=options["with_removals"])
            self.stdout.write("Applied.")

    def _carry_out_partner(self, actor: Actor, text: str, *, is_applied: bool) -> None:
        plan = plan_partner(actor=actor, now=clock.now(), text=text)
        self._show(plan, with_removals=True)
        if is_applied and not plan.is_empty:
            apply_partner(actor=actor, now=clock.now(), text=text)
            self.stdout.write("Applied.")

    def _export(self, options: dict[str, Any]) -> str:
        if not options["customer"]:
            return export_partner(system_actor("Command line"))
        places = Environment.objects.select_related("customer").filter(kind=options["environment"])
        place = places.filter(customer__slug=options["customer"]).first()
        if place is None:
            raise CommandError(f"There is no customer {options['customer']}.")
        return export_environment(place)

    def _write(self, file: str, text: str) -> None:
        if file == "-":
            self.stdout.write(text, ending="")
        else:
            Path(file).write_text(text, encoding="utf-8")

    def _show(self, plan: ConfigurationPlan | PartnerPlan, *, with_removals: bool) -> None:
        if plan.is_empty:
            self.stdout.write("Nothing to change.")
        for entry in plan.changes:
            is_left = entry.action == "remove" and not with_removals
            self.stdout.write(f"{'left alone' if is_left else entry.action}: {entry.name}")
            for detail in entry.details:
                self.stdout.write(f"  {detail.name}: {detail.before or '–'} → {detail.after or '–'}")
        for problem in plan.problems:
            self.stdout.write(f"problem: {problem}")


def _is_of_partner(text: str) -> bool:
    with suppress(InvalidSource):  # said with its line by whoever plans it
        return bool(read_document(text).data.get("kind") == KIND)
    return False
