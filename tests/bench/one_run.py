"""A worker of its own that carries a flow's run out to its end: `python -m tests.bench.one_run <schema> <flow id>`."""

from __future__ import annotations

import sys
from uuid import UUID


def main(schema: str, flow_id: UUID) -> None:
    import django

    django.setup()
    from apps.core import clock
    from apps.core.planes import tenant_plane
    from apps.sync.models import RunStatus
    from apps.sync.services import run_due_flow
    from tests.bench.fast_vendor import register

    register()
    with tenant_plane(schema):
        run = run_due_flow(flow_id=flow_id, now=clock.now())
        while run is not None and run.status == RunStatus.QUEUED:  # it let others pass
            run = run_due_flow(flow_id=flow_id, now=clock.now())


if __name__ == "__main__":
    main(sys.argv[1], UUID(sys.argv[2]))
