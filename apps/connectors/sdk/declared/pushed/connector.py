"""A checked definition of pushed records as a connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.declared.connector import stream_refs
from apps.connectors.sdk.declared.definition import NONE_NAMED
from apps.connectors.sdk.declared.pushed.definition import PushedDefinition, PushedObjectPart
from apps.connectors.sdk.declared.pushed.receiving import receive
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.manifest import (
    AuthKind,
    ConfigField,
    ConnectorManifest,
    Evidence,
    RateLimit,
    StreamSpec,
    WebhookSpec,
)
from apps.connectors.sdk.types import CheckResult, JsonDict, Page, SourceRecord, WebhookEvent

# A delivery may be stored a moment after one that arrived later.
OVERLAP = timedelta(minutes=5)
SECRET = ConfigField(
    key="webhook_secret", label="Signing secret", secret=True,
    help="The system signs with it, or sends it as a bearer token. At least 16 characters.",
)  # fmt: skip
SHORTEST_SECRET = 16


class PushedConnector(Connector):
    definition: ClassVar[PushedDefinition]
    hook_status = 202
    speaks_http_only = False

    def check(self) -> CheckResult:
        """Nobody can be asked: all there is to check is the secret."""
        if len(self.context.credentials.get("webhook_secret", "")) < SHORTEST_SECRET:
            raise ConfigurationError(f"a secret of at least {SHORTEST_SECRET} characters is needed", code="no_secret")
        return CheckResult(account_id="pushed", account_name="Pushed records")

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        return [receive(cls.definition, secret=secret, headers=headers, body=body, now=now)]


class PushedStream:
    """The newest state of every record, in the order of arrival."""

    def __init__(self, connector: PushedConnector, *, part: PushedObjectPart) -> None:
        self.store = connector.context.pushed
        self.part = part

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        state = checkpoint or {}
        since = datetime.fromisoformat(state["at"]) if state.get("at") else None
        after = state.get("id", "")
        if since is not None and not after:
            since -= OVERLAP
        last = state.get("at")
        while self.store is not None:
            rows = self.store.page(self.part.name, since=since, after_id=after, limit=page_size)
            if not rows:
                break
            since, after, last = rows[-1].received_at, rows[-1].row_id, rows[-1].received_at.isoformat()
            yield Page(records=[row.record for row in rows], checkpoint={"at": last, "id": after})
        yield Page(records=[], checkpoint={"at": last} if last else {})

    def get(self, external_id: str) -> SourceRecord | None:
        return self.store.get(self.part.name, external_id) if self.store is not None else None


def pushed_type(key: str, definition: PushedDefinition) -> type[PushedConnector]:
    """The class that receives these records; `key` is what connections are stored under."""
    streams: dict[str, Callable[[Any], Any]] = {o.name: partial(PushedStream, part=o) for o in definition.objects}
    attributes = {
        "definition": definition,
        "manifest": _manifest(key, definition),
        "stream_types": streams,
        "sink_types": {},
    }
    return type("PushedConnector", (PushedConnector,), attributes)


def _manifest(key: str, definition: PushedDefinition) -> ConnectorManifest:
    header = "authorization" if definition.auth.kind == "bearer" else definition.auth.header
    return ConnectorManifest(
        key=key,
        name=definition.name,
        domain=definition.domain,
        also_domains=definition.also_domains,
        description=definition.description,
        evidence=Evidence.DECLARED,
        evidence_note="Written down by you. Send an event of every kind before you rely on it.",
        auth=AuthKind.API_KEY,
        redact=definition.redact,
        nothing_to_hide="" if definition.redact else NONE_NAMED,
        base_url="",
        config=(SECRET,),
        streams=tuple(_stream(part) for part in definition.objects),
        sinks=(),
        rate_limit=RateLimit(calls=6000, seconds=60.0),
        webhook=WebhookSpec(
            scope="connection", signature_header=header, streams=tuple(part.name for part in definition.objects)
        ),
    )


def _stream(part: PushedObjectPart) -> StreamSpec:
    return StreamSpec(
        name=part.name,
        label=part.label,
        entity=part.entity,
        fields=part.fields,
        refs=stream_refs(part),
        deletes=bool(part.deleted),
    )
