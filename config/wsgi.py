"""The web process: pages and API through the whole stack, what only machines call through a slim one."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.demo")
_pages = get_wsgi_application()

from apps.core.machine_handler import MachineHandler, with_machines  # noqa: E402 - after the set-up

application = with_machines(_pages, MachineHandler())
