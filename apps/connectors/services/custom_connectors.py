"""Writing connectors down: drafts, versions, and trying them on the real system before anybody relies on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils.text import slugify

from apps.audit.services import record_change
from apps.connectors.models import Connection, CustomConnector, CustomConnectorVersion
from apps.connectors.registry import CUSTOM, forget_custom
from apps.connectors.releasing import require_release
from apps.connectors.sdk.connector import Connector, HttpExchange
from apps.connectors.sdk.declared import Definition, InvalidDefinition, connector_type, parse_definition
from apps.connectors.sdk.entities import InvalidRecord, validate_entity
from apps.connectors.sdk.errors import ConnectorError
from apps.connectors.sdk.manifest import StreamSpec
from apps.connectors.sdk.types import SourceRecord
from apps.connectors.services.inputs import clean_input
from apps.connectors.services.opening import build_connector
from apps.core import expressions
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, Conflict, NotPermitted
from apps.core.ids import uuid7
from apps.customers.models import EnvironmentKind

RECORDS_SHOWN = 5


class UnableToDefine(AnticipatedError):
    """The text is no connector, or the name is taken; the message names the place."""

    code = "unable_to_define"


class MappedSample(msgspec.Struct, frozen=True, kw_only=True):
    """One record as read, and what the mapping makes of it; `problem` says why it would be refused.

    `refs` are the ids, in the same system, of the records that it refers to.
    """

    external_id: str
    data: dict[str, Any]
    fields: dict[str, Any]
    refs: dict[str, Any] = {}
    problem: str = ""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What happened when a definition was tried: who answered, the calls made, the first records."""

    account: str = ""
    exchanges: list[HttpExchange] = []
    samples: list[MappedSample] = []
    problem: str = ""


def check_definition(source: str) -> Definition:
    """Raises UnableToDefine with the place and the reason."""
    try:
        return parse_definition(source)
    except InvalidDefinition as error:
        raise UnableToDefine(str(error), field="source") from None


def create_custom_connector(*, actor: Actor, now: datetime, source: str) -> CustomConnector:
    """This function will keep a new definition as a draft. Raises UnableToDefine."""
    _require_partner(actor)
    definition = check_definition(source)
    key = f"{CUSTOM}{slugify(definition.name)[:30] or 'system'}"
    connector = CustomConnector(
        id=uuid7(), key=key, name=definition.name[:120], draft=source, author_ids=sorted(actor.people), created_at=now,
        updated_at=now,
    )  # fmt: skip
    try:
        with transaction.atomic():
            connector.save(force_insert=True)
            record_change(actor=actor, now=now, target=connector, action="custom_connector.created")
    except IntegrityError:
        raise UnableToDefine("You have a connector of this name already. Change its name.", field="source") from None
    return connector


@transaction.atomic
def save_draft(*, actor: Actor, now: datetime, connector: CustomConnector, source: str) -> CustomConnector:
    """This function will replace the draft; connections go on with what is published. Raises UnableToDefine."""
    _require_partner(actor)
    definition = check_definition(source)
    locked = _lock(connector)
    locked.draft, locked.name, locked.updated_at = source, definition.name[:120], now
    locked.author_ids = sorted(actor.people.union(locked.author_ids))
    locked.save(update_fields=["draft", "name", "updated_at", "author_ids"])
    record_change(actor=actor, now=now, target=locked, action="custom_connector.draft_saved")
    return locked


@transaction.atomic
def publish_connector(
    *, actor: Actor, now: datetime, connector: CustomConnector, note: str = ""
) -> CustomConnectorVersion:
    """This function will make the draft the version that connections use, within seconds.

    Raises UnableToDefine, Conflict when an object that connections rely on would vanish, and SecondPersonNeeded.
    """
    _require_partner(actor)
    locked = _lock(connector)
    if _connections_of(locked).filter(environment__kind=EnvironmentKind.PRODUCTION).exists():
        require_release(actor, locked.author_ids)
    definition = check_definition(locked.draft)
    _require_objects_kept(locked, definition)
    number = (locked.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = CustomConnectorVersion.objects.create(
        connector=locked, number=number, source=locked.draft, note=note.strip()[:200], published_at=now,
        published_by_label=actor.label,
    )  # fmt: skip
    locked.published, locked.author_ids = version, []
    locked.save(update_fields=["published", "author_ids"])
    record_change(
        actor=actor,
        now=now,
        target=locked,
        action="custom_connector.published",
        after={"version": number, "note": version.note},
    )
    transaction.on_commit(lambda: forget_custom(locked.key))
    return version


@transaction.atomic
def restore_version(
    *, actor: Actor, now: datetime, connector: CustomConnector, version: CustomConnectorVersion
) -> CustomConnector:
    """This function will make an earlier text the draft; publishing it is a step of its own."""
    _require_partner(actor)
    return save_draft(actor=actor, now=now, connector=connector, source=version.source)


@transaction.atomic
def archive_connector(*, actor: Actor, now: datetime, connector: CustomConnector) -> CustomConnector:
    """This function will take the connector out of the catalogue. Raises Conflict while a connection uses it."""
    _require_partner(actor)
    locked = _lock(connector)
    used = _connections_of(locked).count()
    if used:
        raise Conflict(f"{used} connection{' uses' if used == 1 else 's use'} it. Archive its connections first.")
    locked.archived_at = now
    locked.save(update_fields=["archived_at"])
    record_change(actor=actor, now=now, target=locked, action="custom_connector.archived")
    transaction.on_commit(lambda: forget_custom(locked.key))
    return locked


def try_definition(
    *,
    actor: Actor,
    now: datetime,
    source: str,
    object_name: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
) -> Trial:
    """This function will check the credentials and read the first records with a definition that need not be published.

    Nothing is stored. Raises UnableToDefine and UnableToConnect for what was typed; what the system answers is told in the
    trial.
    """
    _require_partner(actor)
    definition = check_definition(source)
    kind = connector_type(f"{CUSTOM}trial", definition)
    given = clean_input(kind.manifest, settings, secrets)
    exchanges: list[HttpExchange] = []
    connector = build_connector(
        Connection(vendor=f"{CUSTOM}trial", settings=given.settings), given.secrets, observe=exchanges.append, kind=kind
    )
    try:
        return _try(connector, kind.manifest.stream(object_name), exchanges, given.settings)
    except ConnectorError as error:
        return Trial(exchanges=exchanges, problem=error.message)
    finally:
        connector.close()


def _try(connector: Connector, spec: StreamSpec, exchanges: list[HttpExchange], settings: Mapping[str, Any]) -> Trial:
    account = connector.check().account_name
    page = next(iter(connector.stream(spec.name).read(checkpoint=None, page_size=RECORDS_SHOWN)))
    samples = [mapped_sample(spec, record, settings) for record in page.records[:RECORDS_SHOWN]]
    return Trial(account=account, exchanges=exchanges, samples=samples)


def mapped_sample(spec: StreamSpec, record: SourceRecord, settings: Mapping[str, Any]) -> MappedSample:
    """What a mapping makes of one record, and why it would be refused."""
    if record.problem:
        return MappedSample(external_id=record.external_id, data=record.data, fields={}, problem=record.problem)
    context = {"record": record.data, "connection": dict(settings), "settings": {}}
    try:
        fields = expressions.compile(spec.fields).evaluate(context)
        refs = expressions.compile({name: ref["id"] for name, ref in spec.refs.items()}).evaluate(context)
        validate_entity(spec.entity, {name: value for name, value in fields.items() if value is not None})
    except (expressions.ExpressionError, InvalidRecord) as error:
        return MappedSample(external_id=record.external_id, data=record.data, fields={}, problem=str(error))
    return MappedSample(external_id=record.external_id, data=record.data, fields=fields, refs=refs)


def _require_objects_kept(connector: CustomConnector, definition: Definition) -> None:
    if connector.published is None or not _connections_of(connector).exists():
        return
    before = {part.name: part.entity for part in parse_definition(connector.published.source).objects}
    after = {part.name: part.entity for part in definition.objects}
    gone = sorted(name for name, entity in before.items() if after.get(name) != entity)
    if gone:
        raise Conflict(f"Connections rely on “{gone[0]}”: keep it, with its entity, or archive them first.")


def _connections_of(connector: CustomConnector) -> QuerySet[Connection]:
    return Connection.objects.filter(vendor=connector.key, archived_at=None)


def _require_partner(actor: Actor) -> None:
    """Raises NotPermitted: what one customer's key writes down, all customers would be offered."""
    actor.require("connectors.manage")
    if actor.scope is not None:
        raise NotPermitted("Only the partner's own people write connectors.")


def _lock(connector: CustomConnector) -> CustomConnector:
    return CustomConnector.objects.select_for_update(of=("self",)).select_related("published").get(pk=connector.pk)
