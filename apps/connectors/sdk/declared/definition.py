"""The shape of a connector that is written down.

Places in answers are dotted paths (`data.items`; empty is the whole answer), mappings are expressions like everywhere
else. Addresses may hold `{id}`, `{key}` and `{<setting>}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

import msgspec
import yaml

from apps.connectors.sdk.entities import ENTITIES, REFERENCES
from apps.connectors.sdk.manifest import Domain
from apps.core import expressions

LONGEST_SOURCE = 100_000
DEEPEST_SOURCE = 50
Shape = TypeVar("Shape")
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,38}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class InvalidDefinition(ValueError):
    """The text cannot be a connector; `place` says where (`objects[0].list.path`), the message why."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


class _Loader(yaml.SafeLoader):
    """Plain data of bounded size: few letters of aliases and merges can stand for more than memory holds."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        reason = "it is nested too deeply" if self.depth >= DEEPEST_SOURCE else ""
        if self.check_event(yaml.AliasEvent):
            reason = "aliases are not used here"
        if reason:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, reason, mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


# `iban`, `*phone*`, `contact.email`: field names are compared in small letters, and not all of them can be meant.
FieldPattern = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_.* -]*[a-z0-9][a-z0-9_.* -]*$", max_length=80)]
Hidden = Annotated[tuple[FieldPattern, ...], msgspec.Meta(max_length=50)]
NONE_NAMED = "Whoever wrote it down names no field."


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything in a definition: a misspelled key is an error, not a silently ignored wish."""


class MappedPart(Part, frozen=True, kw_only=True):
    """Base of every kind of object: what it is called, and what its records become."""

    name: Name
    label: Text
    entity: str
    fields: dict[str, str] = {}
    refs: dict[str, dict[str, str]] = {}


class AuthPart(Part, frozen=True):
    """How calls prove who they are. `name` is the header or parameter that carries the key."""

    kind: Literal["none", "bearer", "header", "query", "basic"] = "bearer"
    name: str = ""


class SettingPart(Part, frozen=True):
    """One more input of the connection form, for use in addresses as `{key}`."""

    key: Name
    label: Text
    help: str = ""
    default: str = ""
    required: bool = True


class CheckPart(Part, frozen=True):
    """A call that only good credentials answer, and where in its answer the account is named."""

    path: Text
    account_id: str = ""
    account_name: str = ""


class PagingPart(Part, frozen=True):
    """How the next page is asked for.

    page, offset: `parameter` counts; cursor: `next` is where the answer holds what `parameter` sends back; link: the
    answer's Link header. `size_parameter` is left out where the system has none; `size` is the most it gives. Where a
    header tells how many pages there are, `pages_header` names it.
    """

    kind: Literal["none", "page", "offset", "cursor", "link"] = "none"
    parameter: str = ""
    size_parameter: str = ""
    size: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 100
    first: int = 1
    next: str = ""
    pages_header: str = ""


class ListPart(Part, frozen=True):
    """Reading many. With `since` only what changed is read again; without it everything is.

    `since_format`: an ISO text in UTC, the same without a zone (local), a day, or seconds or milliseconds since 1970.
    """

    path: Text
    records: str = ""
    params: dict[str, str] = {}
    since: str = ""
    since_format: Literal["iso", "local", "date", "seconds", "milliseconds"] = "iso"
    paging: PagingPart | None = None


class ItemPart(Part, frozen=True):
    """Reading one: `path` holds `{id}`."""

    path: Text
    record: str = ""


class WritePart(Part, frozen=True):
    """Creating or changing one. `wrap` is a key around the body; `id` is where the answer names what was made."""

    path: Text
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    wrap: str = ""
    id: str = "id"
    idempotency_header: str = ""


class MarkPart(Part, frozen=True):
    """How a create whose answer was lost is found again: `field` of the body carries a key; `find` looks it up."""

    field: Text
    find: ListPart


class ObjectPart(MappedPart, frozen=True, kw_only=True):
    """A kind of object of the system, and the canonical entity it is."""

    list: ListPart
    id: str = "id"
    modified: str = ""
    deleted: str = ""
    item: ItemPart | None = None
    create: WritePart | None = None
    update: WritePart | None = None
    mark: MarkPart | None = None
    writes: dict[str, str] = {}
    write_refs: dict[str, str] = {}
    required_refs: tuple[str, ...] = ()


class LimitPart(Part, frozen=True):
    calls: Annotated[int, msgspec.Meta(ge=1)] = 60
    seconds: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 60.0
    per_day: int | None = None


class ConnectorDefinition(Part, frozen=True):
    """A system spoken to over HTTP."""

    name: Text
    domain: Domain
    base_url: Text
    check: CheckPart
    objects: Annotated[list[ObjectPart], msgspec.Meta(min_length=1, max_length=50)]
    kind: Literal["rest"] = "rest"
    description: str = ""
    auth: AuthPart = AuthPart()
    headers: dict[str, str] = {}
    settings: list[SettingPart] = []
    paging: PagingPart = PagingPart()
    rate_limit: LimitPart = LimitPart()
    error_message: str = ""
    redact: Hidden = ()


def parse_text(source: str) -> Any:
    """The YAML of a definition as plain data. Raises InvalidDefinition."""
    if len(source) > LONGEST_SOURCE:
        raise InvalidDefinition("", f"A definition has at most {LONGEST_SOURCE:,} characters.")
    try:
        return yaml.load(source, _Loader)  # noqa: S506 - a safe loader, made safer
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        raise InvalidDefinition(
            where, f"This is not YAML: {getattr(error, 'problem', None) or 'unreadable'}."
        ) from None
    except ValueError as error:
        # Days that do not exist, numbers without end.
        raise InvalidDefinition("", f"This is not YAML: {error}.") from None


def convert(data: Any, kind: type[Shape]) -> Shape:
    """Plain data in its declared shape. Raises InvalidDefinition with the place."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        raise InvalidDefinition(place.strip("`.").lstrip("."), reason) from None


def check_names(parts: Iterable[MappedPart]) -> set[str]:
    """The names of the objects. Raises InvalidDefinition when there are two of one."""
    names = [part.name for part in parts]
    twice = next((index for index, name in enumerate(names) if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidDefinition(f"objects[{twice}].name", f"There are two objects named {names[twice]}.")
    return set(names)


def check_mapping(place: str, part: MappedPart, names: set[str]) -> None:
    """Raises InvalidDefinition where what an object becomes is not in the canonical vocabulary."""
    if part.entity not in ENTITIES:
        raise InvalidDefinition(f"{place}.entity", f"Choose one of {', '.join(sorted(ENTITIES))}.")
    known = ENTITIES[part.entity].__struct_fields__
    unknown = sorted(set(part.fields) - set(known))
    if unknown:
        reason = f"{part.entity} has no such field. Choose from {', '.join(known)}."
        raise InvalidDefinition(f"{place}.fields.{unknown[0]}", reason)
    check_references(place, part.entity, part.refs)
    for name, ref in part.refs.items():
        if set(ref) != {"object", "id"} or ref["object"] not in names:
            raise InvalidDefinition(f"{place}.refs.{name}", "Give `object` (one of this definition) and `id`.")
    check_expressions(f"{place}.fields", part.fields)
    check_expressions(f"{place}.refs", {name: ref["id"] for name, ref in part.refs.items()})


def check_references(place: str, entity: str, names: Iterable[str]) -> None:
    for name in names:
        if name not in REFERENCES[entity]:
            choice = ", ".join(sorted(REFERENCES[entity])) or "none"
            reason = f"{entity} has no such reference. There is {choice}."
            raise InvalidDefinition(f"{place}.refs.{name}", reason)


def check_rest(definition: ConnectorDefinition) -> None:
    """Raises InvalidDefinition where calls could not be made."""
    try:
        address = urlsplit(definition.base_url)
    except ValueError:
        address = urlsplit("")
    if address.scheme not in ("https", "http") or not address.hostname:
        raise InvalidDefinition("base_url", "Give the whole address, beginning with https://.")
    if definition.auth.kind in ("header", "query") and not definition.auth.name:
        raise InvalidDefinition("auth.name", "Name the header or parameter that carries the key.")
    settings = {setting.key for setting in definition.settings} | {"base_url"}
    _check_path("check.path", definition.check.path, settings)
    _check_paging("paging", definition.paging)
    names = check_names(definition.objects)
    for index, part in enumerate(definition.objects):
        _check_object(f"objects[{index}]", part, settings, names)


def _check_object(place: str, part: ObjectPart, settings: set[str], names: set[str]) -> None:
    check_mapping(place, part, names)
    check_references(place, part.entity, part.write_refs)
    check_expressions(f"{place}.writes", part.writes)
    _check_paths(place, part, settings)


def _check_paths(place: str, part: ObjectPart, settings: set[str]) -> None:
    _check_path(f"{place}.list.path", part.list.path, settings)
    if part.list.paging:
        _check_paging(f"{place}.list.paging", part.list.paging)
    if part.item:
        _check_path(f"{place}.item.path", part.item.path, settings | {"id"}, must="id")
    if part.create:
        _check_path(f"{place}.create.path", part.create.path, settings)
    if part.update:
        _check_path(f"{place}.update.path", part.update.path, settings | {"id"}, must="id")
    if (part.create or part.update) and not part.writes:
        raise InvalidDefinition(f"{place}.writes", "Say which fields are written.")
    if (part.create or part.update) and part.item is None:
        raise InvalidDefinition(f"{place}.item", "What is written is read back: say how one is read.")
    if part.mark:
        _check_path(f"{place}.mark.find.path", part.mark.find.path, settings | {"key"})


def _check_path(place: str, path: str, known: set[str], *, must: str = "") -> None:
    if not path.startswith("/"):
        raise InvalidDefinition(place, "A path begins with / and stays on the base address.")
    found = set(_PLACEHOLDER.findall(path))
    if must and must not in found:
        raise InvalidDefinition(place, f"The path must hold {{{must}}}.")
    if found - known:
        raise InvalidDefinition(place, f"There is no {{{sorted(found - known)[0]}}}.")


def _check_paging(place: str, paging: PagingPart) -> None:
    if paging.kind in ("page", "offset", "cursor") and not paging.parameter:
        raise InvalidDefinition(f"{place}.parameter", "Name the parameter that asks for the next page.")
    if paging.kind == "cursor" and not paging.next:
        raise InvalidDefinition(f"{place}.next", "Say where the answer holds the next cursor.")


def check_expressions(place: str, fields: dict[str, str]) -> None:
    for name, expression in fields.items():
        try:
            expressions.compile_one(expression)
        except expressions.ExpressionError as error:
            raise InvalidDefinition(f"{place}.{name}", str(error)) from None


def filled(path: str, values: dict[str, Any]) -> str:
    """The path with its placeholders replaced, each as one segment that cannot break out of it."""
    return _PLACEHOLDER.sub(lambda found: quote(str(values.get(found[1], "")), safe=""), path)
