"""A checked definition as a connector: built once per version, then used like one that was programmed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from apps.connectors.sdk.auth import Auth, BasicAuth, BearerAuth, HeaderKeyAuth, NoAuth, QueryKeyAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.declared.definition import (
    NONE_NAMED,
    AuthPart,
    ConnectorDefinition,
    MappedPart,
    ObjectPart,
    PagingPart,
    filled,
)
from apps.connectors.sdk.declared.sinks import DeclaredSink
from apps.connectors.sdk.declared.streams import DeclaredStream
from apps.connectors.sdk.error_table import ErrorTable, ErrorText
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.manifest import (
    AuthKind,
    ConfigField,
    ConnectorManifest,
    Evidence,
    RateLimit,
    Resolve,
    SinkSpec,
    StreamSpec,
)
from apps.connectors.sdk.paginators import dig
from apps.connectors.sdk.types import CheckResult


class DeclaredConnector(Connector):
    definition: ClassVar[ConnectorDefinition]

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        base_url = str(context.settings.get("base_url") or self.definition.base_url)
        headers = {name.lower(): value for name, value in self.definition.headers.items()}
        errors = ErrorTable(describe=self._describe)
        self.client = VendorClient(context, base_url, self._auth, errors, headers=headers)

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        check = self.definition.check
        answer = self.client.get(self.path(check.path))
        if answer is None:
            raise ConfigurationError("The check was answered with nothing: is its path right?", code="empty_check")
        name = str(dig(answer, check.account_name) or self.definition.name) if check.account_name else ""
        account = dig(answer, check.account_id) if check.account_id else None
        base = str(self.context.settings.get("base_url") or self.definition.base_url)
        return CheckResult(account_id=str(account or base), account_name=name or self.definition.name)

    def path(self, template: str, **values: Any) -> str:
        return filled(template, {**self.context.settings, **values})

    def _auth(self) -> Auth:
        return _auth_of(self.definition.auth, self.context)

    def _describe(self, data: Any) -> ErrorText:
        place = self.definition.error_message
        said = dig(data, place) if place else data.get("message") or data.get("error")
        return ErrorText(said if isinstance(said, str) else "")


def rest_type(key: str, definition: ConnectorDefinition) -> type[DeclaredConnector]:
    """The class that speaks to this system; `key` is what connections are stored under."""
    streams: dict[str, Callable[[Any], Any]] = {o.name: partial(DeclaredStream, part=o) for o in definition.objects}
    written = [part for part in definition.objects if part.create or part.update]
    sinks: dict[str, Callable[[Any], Any]] = {o.name: partial(DeclaredSink, part=o) for o in written}
    attributes = {
        "definition": definition,
        "manifest": _manifest(key, definition),
        "stream_types": streams,
        "sink_types": sinks,
    }
    return type("DeclaredConnector", (DeclaredConnector,), attributes)


def _auth_of(auth: AuthPart, context: ConnectionContext) -> Auth:
    key = context.credentials.get("api_key", "")
    if auth.kind == "none":
        return NoAuth()
    if not key:
        raise ConfigurationError("The connection has no key yet.", code="no_key")
    if auth.kind == "bearer":
        return BearerAuth(key)
    if auth.kind == "header":
        return HeaderKeyAuth(auth.name, key)
    if auth.kind == "query":
        return QueryKeyAuth(auth.name, key)
    return BasicAuth(str(context.settings.get("username") or ""), key)


def _manifest(key: str, definition: ConnectorDefinition) -> ConnectorManifest:
    limit = definition.rate_limit
    return ConnectorManifest(
        key=key,
        name=definition.name,
        domain=definition.domain,
        description=definition.description,
        evidence=Evidence.DECLARED,
        evidence_note="Written down by you. Try every object before you rely on it.",
        auth=AuthKind.API_KEY,
        redact=definition.redact,
        nothing_to_hide="" if definition.redact else NONE_NAMED,
        base_url=definition.base_url,
        config=tuple(_config(definition)),
        streams=tuple(_stream(part, part.list.paging or definition.paging) for part in definition.objects),
        sinks=tuple(_sink(part) for part in definition.objects if part.create or part.update),
        rate_limit=RateLimit(calls=limit.calls, seconds=limit.seconds, per_day=limit.per_day),
    )


def _config(definition: ConnectorDefinition) -> list[ConfigField]:
    fields = [ConfigField(key="base_url", label="Address", default=definition.base_url, kind="url")]
    fields += [
        ConfigField(key=s.key, label=s.label, help=s.help, default=s.default, required=s.required)
        for s in definition.settings
    ]
    if definition.auth.kind == "basic":
        fields.append(ConfigField(key="username", label="User name"))
    if definition.auth.kind != "none":
        label = "Password" if definition.auth.kind == "basic" else "API key"
        fields.append(ConfigField(key="api_key", label=label, secret=True))
    return fields


def _stream(part: ObjectPart, paging: PagingPart) -> StreamSpec:
    return StreamSpec(
        name=part.name,
        label=part.label,
        entity=part.entity,
        fields=part.fields,
        refs=stream_refs(part),
        incremental=bool(part.list.since),
        deletes=bool(part.deleted),
        paged=paging.kind != "none",
    )


def stream_refs(part: MappedPart) -> dict[str, dict[str, str]]:
    """References as manifests have them."""
    return {name: {"stream": ref["object"], "id": ref["id"]} for name, ref in part.refs.items()}


def _sink(part: ObjectPart) -> SinkSpec:
    return SinkSpec(
        name=part.name,
        label=part.label,
        entity=part.entity,
        stream=part.name,
        fields=part.writes,
        refs=part.write_refs,
        required_refs=part.required_refs,
        resolve=_resolve(part),
        creates=part.create is not None,
        updates=part.update is not None,
    )


def _resolve(part: ObjectPart) -> Resolve:
    if part.create and part.create.idempotency_header:
        return Resolve.IDEMPOTENCY_KEY
    return Resolve.LOOKUP if part.mark else Resolve.NONE
