"""Real vendor servers for the test suite: installed once under `var/real`, started per run on free ports.

Each server is prepared once (installed, initialised, seeded) and that state is kept as a template; a run starts from
a fresh copy of it, so runs do not see one another's records. `python -m tests.real.servers` starts them all, prints their
addresses and credentials as JSON, and stops them on Ctrl-C.
"""

from __future__ import annotations

from tests.real.servers.base import RealServer, Unavailable
from tests.real.servers.bottlecrm import start_bottlecrm
from tests.real.servers.redmine import start_redmine
from tests.real.servers.tryton import start_tryton

__all__ = ["RealServer", "Unavailable", "start_bottlecrm", "start_redmine", "start_tryton"]
