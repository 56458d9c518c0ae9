"""What a connector declares about itself; shown in the catalogue and checked by the conformance suite."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Domain(StrEnum):
    """The four kinds of system a professional-services firm runs."""

    CRM = "crm"
    ERP = "erp"
    BILLING = "billing"
    DELIVERY = "delivery"


class Evidence(StrEnum):
    """The strongest proof behind a connector; claim no more than was shown."""

    REAL_SERVER = "real_server"
    RECORDED = "recorded"
    SPEC_CHECKED = "spec_checked"
    SIMULATED = "simulated"
    DECLARED = "declared"  # written down by the partner: whatever they tried


class AuthKind(StrEnum):
    API_KEY = "api_key"
    OAUTH2 = "oauth2"


class Resolve(StrEnum):
    """How an unconfirmed create is resolved after a crash (design: never blindly repeated)."""

    IDEMPOTENCY_KEY = "idempotency_key"
    EXTERNAL_ID = "external_id"
    LOOKUP = "lookup"
    LOOKUP_AFTER_SETTLE = "lookup_after_settle"
    NONE = "none"


ADDRESS_KINDS = ("url", "host")  # inputs that say where secrets are sent


class ConfigField(msgspec.Struct, frozen=True, kw_only=True):
    """One input of the connection form. `secret` values go to the sealed credential, others to settings."""

    key: str
    label: str
    help: str = ""
    secret: bool = False
    required: bool = True
    default: str = ""
    kind: str = "text"  # text | url | host | integer | multiline


class Grant(StrEnum):
    """How a client proves itself where no person agrees on a page."""

    CLIENT_CREDENTIALS = "client_credentials"  # id and secret, RFC 6749 §4.4
    CLIENT_ASSERTION = "client_assertion"  # the same with a signed statement for a secret, RFC 7523 §2.2
    JWT_BEARER = "jwt_bearer"  # a signed statement about a user is the grant itself, RFC 7523 §2.1


class MachineAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Access by a client registered in the customer's own account, beside the consent of a person.

    `config` are the inputs it needs in addition: `client_id` always, then `client_secret`, or `private_key` (PEM) with
    `key_id` where the vendor tells certificates apart, and `subject` for the user meant. `audience` and `token_url` may
    hold `{base_url}` and `{<setting>}`.
    """

    grant: Grant
    config: tuple[ConfigField, ...]
    token_url: str = ""
    audience: str = ""
    scopes: tuple[str, ...] = ()
    algorithm: str = "RS256"


class OAuth2Spec(msgspec.Struct, frozen=True, kw_only=True):
    """Authorization-code flow with PKCE. URLs may hold `{base_url}`, replaced from the connection's settings.

    `unused_days`: a refresh token that is not used for so long dies at the vendor.
    `lifetime_seconds` is assumed of access tokens where the vendor does not say how long they live (Salesforce).
    """

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...] = ()
    token_auth: str = "client_secret_post"  # noqa: S105 - the name of an RFC 6749 method, not a secret
    extra_authorize_params: dict[str, str] = {}
    machine: MachineAccess | None = None
    unused_days: int | None = None
    lifetime_seconds: int | None = None


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """`calls` per `seconds` for one connection; `per_day` where the vendor counts days."""

    calls: int
    seconds: float
    per_day: int | None = None
    concurrent: int | None = None


class StreamSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A readable object: `mapping` holds CEL expressions over `record` that build the canonical fields.

    `refs` names other canonical records: {canonical ref name: {"stream": <stream>, "id": <CEL giving its external id or null>}}.
    """

    name: str
    label: str
    entity: str
    fields: dict[str, str] = {}
    refs: dict[str, dict[str, str]] = {}
    incremental: bool = True
    deletes: bool = False
    paged: bool = True  # False where the vendor gives a list only as a whole


class SinkSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A writable object: `fields` holds CEL expressions over `record` (canonical) and `refs` (external ids here).

    `refs` says in which sink/stream of this connection each canonical reference lives: {ref name: object name};
    `required_refs` must be resolvable before a write. `stream` is the stream that reads the same object. `own_fields`
    is the connector's own mapping, kept where an integration changed `fields`.
    `deletes`: the sink is a `DeletingSink`. `overlaps`: whether several writes of it may be under way at once; where
    nothing is said, only of objects that refer to no others. (Some vendors lock what is referred to; some sinks look
    for what a record needs beside it, and make it where it is missing.)
    """

    name: str
    label: str
    entity: str
    stream: str
    fields: dict[str, str] = {}
    own_fields: dict[str, str] = {}
    refs: dict[str, str] = {}
    required_refs: tuple[str, ...] = ()
    resolve: Resolve = Resolve.LOOKUP
    settle_seconds: int = 0
    batch_size: int = 1
    creates: bool = True
    updates: bool = True
    deletes: bool = False
    overlaps: bool | None = None

    @property
    def may_overlap(self) -> bool:
        return not self.refs if self.overlaps is None else self.overlaps


class WebhookSpec(msgspec.Struct, frozen=True, kw_only=True):
    """`scope` is "app" (one address for all accounts, split by account id) or "connection" (one address each)."""

    scope: str
    signature_header: str
    streams: tuple[str, ...] = ()


class ConnectorManifest(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    name: str
    domain: Domain
    description: str
    also_domains: tuple[Domain, ...] = ()
    evidence: Evidence
    evidence_note: str
    auth: AuthKind
    base_url: str
    config: tuple[ConfigField, ...]
    streams: tuple[StreamSpec, ...]
    sinks: tuple[SinkSpec, ...]
    rate_limit: RateLimit
    oauth2: OAuth2Spec | None = None
    webhook: WebhookSpec | None = None
    redact: tuple[str, ...] = ()  # fields whose values no log may keep: `iban`, `*phone*`, `contact.email`
    nothing_to_hide: str = ""  # why `redact` is empty: somebody looked, and found nothing
    extra: dict[str, Any] = {}

    def stream(self, name: str) -> StreamSpec:
        """Raises KeyError when the manifest has no such stream."""
        return next((s for s in self.streams if s.name == name), None) or _missing(self.key, name)

    def sink(self, name: str) -> SinkSpec:
        """Raises KeyError when the manifest has no such sink."""
        return next((s for s in self.sinks if s.name == name), None) or _missing(self.key, name)


def _missing(connector: str, name: str) -> Any:
    raise KeyError(f"{connector} has no object {name!r}")
