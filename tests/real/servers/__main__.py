"""Start the real servers and print how to reach them, until interrupted."""

from __future__ import annotations

import json
import signal
import sys

from tests.real.servers import Unavailable, start_bottlecrm, start_redmine, start_tryton


def main() -> None:
    running, facts = [], {}
    for start in (start_tryton, start_redmine, start_bottlecrm):
        try:
            server = start()
        except Unavailable as reason:
            sys.stderr.write(f"{reason}\n")
            continue
        running.append(server)
        facts[server.name] = {"base_url": server.base_url, "credentials": server.credentials, "facts": server.facts}
    sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        signal.pause()
    finally:
        for server in running:
            server.stop()


if __name__ == "__main__":
    main()
