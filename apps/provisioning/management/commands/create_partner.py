from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actor import system_actor
from apps.core.errors import AnticipatedError
from apps.provisioning.services import NewPartner, provision_partner


class Command(BaseCommand):
    help = "Creates a partner, ready to sign in; its owner is invited by mail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name")
        parser.add_argument("owner_email")
        parser.add_argument("--currency", default="EUR")
        parser.add_argument("--time-zone", default="UTC")

    def handle(self, *args: Any, **options: Any) -> None:
        new = NewPartner(
            name=options["name"],
            slug=options["slug"],
            owner_email=options["owner_email"],
            currency=options["currency"],
            time_zone=options["time_zone"],
        )
        try:
            partner = provision_partner(actor=system_actor("create_partner"), new=new, now=clock.now())
        except AnticipatedError as error:
            raise CommandError(error.user_message) from error
        self.stdout.write(f"{partner.name} is ready in {partner.schema_name}")
