from __future__ import annotations

import getpass
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.services import UnableToCreatePerson, create_operator
from apps.core import clock

PASSWORD_VARIABLE = "INTERLACE_OPERATOR_PASSWORD"  # noqa: S105 - the name of a variable


class Command(BaseCommand):
    help = f"Create an operator of the platform. The password is asked for, or taken from {PASSWORD_VARIABLE}."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get(PASSWORD_VARIABLE) or getpass.getpass()
        try:
            user = create_operator(email=options["email"], name=options["name"], password=password, now=clock.now())
        except UnableToCreatePerson as error:
            raise CommandError(error.user_message) from error
        self.stdout.write(f"Created operator {user.email}.\n")
