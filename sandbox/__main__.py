"""Command line: `python -m sandbox --port 8500 --data var/sandbox`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from sandbox.server import Sandbox, make_server


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox", description="Simulated vendors over HTTP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8500)
    parser.add_argument("--data", type=Path, default=Path("var/sandbox"))
    options = parser.parse_args()
    app = Sandbox(options.data)
    server = make_server(app, options.host, options.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout.write(f"sandbox on http://{options.host}:{server.port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        app.close()


if __name__ == "__main__":
    main()
