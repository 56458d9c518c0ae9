"""A test browser that leaves the test in the schema it was in: every request ends in public."""

from __future__ import annotations

from typing import Any

from django.test import Client

from apps.core.planes import current_schema, tenant_plane


class Browser(Client):
    def __init__(self, host: str = "acme.localhost", **headers: str) -> None:
        super().__init__(headers={"host": host, **headers})

    def request(self, **request: Any) -> Any:
        with tenant_plane(current_schema()):
            return super().request(**request)
