"""A connector over the simulator, and its mappings as the engine evaluates them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from functools import partial
from typing import Any

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.vendors.odoo.connector import OdooConnector
from apps.connectors.vendors.odoo.manifest import MANIFEST
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors import erp
from tests.connectors.erp import euros, made, write

KEY = "odoo-key-1234567890"
LOGIN = "integration@example.com"
__all__ = ["euros", "made", "mapped", "payload", "write"]
_accounts = itertools.count(1)


class Firm:
    """An account with an Odoo of one version."""

    def __init__(self, sandbox: RunningSandbox, version: int) -> None:
        account = f"firm{next(_accounts)}"
        self.version = version
        self.base_url = sandbox.base_url("odoo", account)
        self.control: AccountControl = sandbox.control("odoo", account)
        self.control.credentials(api_key=KEY)
        self.control.settings(version=version, database="northwind")

    def connect(self, *, key: str = KEY, **settings: Any) -> OdooConnector:
        rpc = {"database": "northwind", "login": LOGIN} if self.version == 17 else {}
        context = ConnectionContext(
            settings={"base_url": self.base_url, "product": "CONSULT", **rpc, **settings},
            credentials={"api_key": key},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
        return OdooConnector(context)

    def make(self, kind: str, **data: Any) -> str:
        return str(self.control.create(kind, data)["id"])

    def calls(self, method: str) -> int:
        """How often a model's method was called since the log was cleared."""
        return len([r for r in self.control.requests() if method in (r["path"].rsplit("/", 1)[-1], rpc_method(r))])


def rpc_method(request: dict[str, Any]) -> str:
    args = ((request["body"] or {}).get("params") or {}).get("args") or []
    return str(args[4]) if len(args) > 4 else ""


mapped = partial(erp.mapped, MANIFEST)
payload = partial(erp.payload, MANIFEST)


def read_all(connector: OdooConnector, stream: str, checkpoint: Any = None, size: int = 100) -> Any:
    pages = list(connector.stream(stream).read(checkpoint=checkpoint, page_size=size))
    return {record.external_id: record for page in pages for record in page.records}, pages[-1].checkpoint
