"""What the conformance suite asks of a vendor account, and how it reads what it finds."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from apps.connectors.sdk.connector import ConnectionContext, Connector, HttpExchange
from apps.connectors.sdk.entities import InvalidRecord, validate_entity
from apps.connectors.sdk.manifest import StreamSpec
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.core import expressions

GONE_STATES = ("inactive", "void", "closed", "cancelled", "declined")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook as it arrives, with the secret it was signed with."""

    secret: str
    headers: Mapping[str, str]
    body: bytes
    url: str
    now: datetime


class MissingAbility(LookupError):
    """The suite needs something done that this harness does not promise: no such ability, or a connector without sinks."""


class Harness(ABC):
    """What the suite needs done at the vendor. Subclass per vendor; `abilities` may hold "faults", "webhooks"
    (deliveries are signed) and "deliveries" (others can be signed, or shown to be genuine, likewise).
    """

    connector_type: type[Connector]
    abilities: frozenset[str] = frozenset()
    page_size = 2
    unknown_id = "999999999"

    def __init__(self) -> None:
        self.exchanges: list[HttpExchange] = []
        self.acquired = 0

    def connector(self, *, valid: bool = True) -> Connector:
        """A connector in a conversation of its own, with good or refused credentials."""
        context = ConnectionContext(
            settings=self.settings(),
            credentials=self.credentials(valid=valid),
            now=self.now,
            observe=self.exchanges.append,
            acquire=self._acquire,
            allow_private=True,
        )
        return self.connector_type(context)

    def _acquire(self) -> None:
        self.acquired += 1

    def now(self) -> datetime:
        return datetime.now(UTC)

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The connection's settings as entered in the form."""

    @abstractmethod
    def credentials(self, *, valid: bool) -> dict[str, str]:
        """Opened secrets the vendor takes, or ones it refuses."""

    @abstractmethod
    def seed(self, stream: str, count: int) -> list[str]:
        """Create `count` objects as a user of the vendor does; their external ids."""

    @abstractmethod
    def edit(self, stream: str, external_id: str) -> None:
        """Change one object as a user does."""

    def remove(self, stream: str, external_id: str) -> bool:
        """Delete one object as a user does; False where nobody can delete these."""
        raise MissingAbility("deleting by hand")

    def count(self, sink: str) -> int:
        """How many objects of this kind the vendor really holds."""
        raise MissingAbility("sinks")

    def payload(self, sink: str) -> JsonDict:
        """A payload that creates a valid object (whatever it refers to exists)."""
        raise MissingAbility("sinks")

    def change(self, sink: str) -> JsonDict:
        """A payload that changes an object made from `payload`."""
        return self.payload(sink)

    def bad_payload(self, sink: str) -> JsonDict | None:
        """A payload the vendor refuses for its content; None where it accepts anything."""
        return None

    def settle(self, seconds: int) -> None:
        """Let that much time pass at the vendor (search indexes)."""
        return

    def fault(self, kind: str, **options: Any) -> None:
        """Make the next read go wrong: `status` (status=), `429` (retry_after=), `reset`, `truncate`."""
        raise MissingAbility("faults")

    def lose_answer(self, sink: str) -> None:
        """Let the next create in this sink be carried out and its answer be lost."""
        raise MissingAbility("faults")

    def delivery(self, stream: str) -> Delivery:
        """A genuine webhook about a change in this stream, caught as sent."""
        raise MissingAbility("webhooks")

    def signed(self, sent: Delivery, body: bytes) -> Delivery:
        """The delivery with another body, signed as the vendor signs."""
        raise MissingAbility("webhooks")


def records_of(connector: Connector, stream: str, *, size: int, checkpoint: JsonDict | None = None) -> Iterator[Page]:
    return connector.stream(stream).read(checkpoint=checkpoint, page_size=size)


def ids(records: list[SourceRecord]) -> set[str]:
    return {record.external_id for record in records}


def is_gone(harness: Harness, spec: StreamSpec, found: SourceRecord | None) -> bool:
    """Whether nothing is there any more; where vendors only archive, close, cancel or void, the record says so."""
    if found is None or found.deleted:
        return True
    mapping = expressions.compile(spec.fields)
    fields = mapping.evaluate({"record": found.data, "connection": harness.settings(), "settings": {}})
    return fields.get("status") in GONE_STATES


def through_storage(checkpoint: JsonDict) -> JsonDict:
    """The checkpoint as it comes back from the database."""
    stored: JsonDict = orjson.loads(orjson.dumps(checkpoint))
    return stored


def new_key() -> str:
    return f"ref-{uuid.uuid4().hex}"


def unreadable_values(spec: StreamSpec, record: SourceRecord, connection: Mapping[str, Any]) -> list[str]:
    """What is wrong with the record's canonical form."""
    context = {"record": record.data, "connection": connection, "settings": {}}
    fields = expressions.compile(spec.fields).evaluate(context)
    found = []
    try:
        validate_entity(spec.entity, {name: value for name, value in fields.items() if value is not None})
    except InvalidRecord as error:
        found.append(str(error))
    for name, ref in spec.refs.items():
        value = expressions.compile_one(ref["id"]).evaluate(context)["value"]
        if value is not None and not (isinstance(value, str) and value):
            found.append(f"ref {name}: {value!r} is neither an id nor null")
    return found
