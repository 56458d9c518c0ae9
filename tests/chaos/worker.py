"""Workers to be killed: `python -m tests.chaos.worker` waits, ready, and forks one real process per order.

An order is a line of JSON: {"schema", "now": iso, "crash_at": crash point or ""}. Each child takes what is due in that
schema through the dispatcher, as a worker does. Answers are lines too: "pid <n>" at once and "end <exit code>" when the
child is gone (negative: the signal).
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from datetime import datetime
from typing import Any


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    django.setup()
    _warm_up()
    _say("ready")
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _work(order)
        _say(f"pid {pid}")
        _, status = os.waitpid(pid, 0)
        _say(f"end {os.waitstatus_to_exitcode(status)}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _warm_up() -> None:
    """Import and compile what a run needs, so that a child starts at once. No database connection is opened here."""
    from apps.connectors.registry import connectors, get_manifest
    from apps.sync.engine.mapping import stream_mapping
    from apps.sync.engine.payload import SinkMapping
    from config.celery import app

    app.loader.import_default_modules()
    for key in connectors():
        manifest = get_manifest(key)
        for stream in manifest.streams:
            stream_mapping(manifest, stream)
        for sink in manifest.sinks:
            _ = SinkMapping(manifest, sink).program


def _work(order: dict[str, Any]) -> None:
    code = 0
    try:
        os.environ["INTERLACE_CRASH_AT"] = order["crash_at"]
        _take_what_is_due(order["schema"], datetime.fromisoformat(order["now"]))
    except BaseException:
        traceback.print_exc()
        code = 1
    os._exit(code)


def _take_what_is_due(schema: str, now: datetime) -> None:
    from apps.core.clock import moved_clock
    from apps.core.planes import public_plane, tenant_plane
    from apps.dispatch.services import claim_due
    from apps.notifications.services import work_endpoint
    from apps.notifications.services.queueing import KIND as WEBHOOK_KIND
    from apps.sync.services.running import FLOW_DUE_KIND, REAP_KIND, reap_runs, run_due_flow

    with moved_clock(now):
        with public_plane():
            items = [item for item in claim_due(now=now) if item.schema == schema]
        with tenant_plane(schema):
            # The reaper first: what a dead worker held is due again with it.
            for item in sorted(items, key=lambda item: item.kind != REAP_KIND):
                if item.kind == REAP_KIND:
                    reap_runs(now=now)
                if item.kind == FLOW_DUE_KIND:
                    run_due_flow(flow_id=item.key, now=now)
                if item.kind == WEBHOOK_KIND:
                    work_endpoint(endpoint_id=item.key, now=now)


if __name__ == "__main__":
    main()
