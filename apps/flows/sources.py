"""Templates as people write them: YAML, checked with the line and the reason of the first mistake."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import yaml

from apps.flows.definition import InvalidDefinition, TemplateSpec, parse_template

Shape = TypeVar("Shape")
LONGEST_SOURCE = 200_000
DEEPEST_SOURCE = 40
NUMBER = re.compile(r"^\d{1,5}(\.\d{1,5}){0,2}$")
KEY = re.compile(r"^[a-z][a-z0-9-]{1,58}$")
# Null characters and halves of a pair, written as escapes.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]")
_QUOTED = re.compile(r"'([^']+)'|`([^`]+)`")


class InvalidSource(ValueError):
    """The text cannot be taken: `line` (from 1, 0 where unknown), `place` (`flows[0].rules[1]`) and why."""

    def __init__(self, reason: str, *, line: int = 0, place: str = "") -> None:
        where = ", ".join(part for part in (f"Line {line}" if line else "", place) if part)
        super().__init__(f"{where}: {reason}" if where else reason)
        self.line, self.place, self.reason = line, place, reason


class SourceLoader(yaml.SafeLoader):
    """YAML without its surprises: `on`, `yes` and `no` are words, and so is 12:30; nothing grows in memory, no key is given
    twice."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        reason = "it is nested too deeply" if self.depth >= DEEPEST_SOURCE else ""
        if self.check_event(yaml.AliasEvent):
            reason = "aliases are not used here"
        elif getattr(self.peek_event(), "tag", None) is not None:  # type: ignore[no-untyped-call]
            reason = "tags (!) are not used here"
        if reason:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, reason, mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        if isinstance(node, yaml.ScalarNode) and _UNSTORABLE.search(str(node.value)):
            raise yaml.composer.ComposerError(None, None, "it holds a character that no text may have", node.start_mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.composer.ComposerError(None, None, f"{key.value} is given twice", key.start_mark)
            seen.add(str(key.value))
        return node


def _without_base_60(pattern: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"(?![^:]*:){pattern.pattern}", pattern.flags)


SourceLoader.yaml_implicit_resolvers = {
    first: [
        (tag, _without_base_60(pattern) if tag.endswith((":int", ":float")) else pattern)
        for tag, pattern in resolvers
        if not tag.endswith((":bool", ":timestamp"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
SourceLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def _whole(loader: SourceLoader, node: yaml.ScalarNode) -> int:
    number: int = loader.construct_yaml_int(node)
    if abs(number) >= 2**63:
        raise ValueError(f"line {node.start_mark.line + 1} has a number that is too large")
    return number


def _finite(loader: SourceLoader, node: yaml.ScalarNode) -> float:
    number: float = loader.construct_yaml_float(node)
    if not math.isfinite(number):
        raise ValueError(f"line {node.start_mark.line + 1} has a number without an end")
    return number


SourceLoader.add_constructor("tag:yaml.org,2002:int", _whole)
SourceLoader.add_constructor("tag:yaml.org,2002:float", _finite)


@dataclass(frozen=True)
class Document:
    """A text read: plain data, and the nodes that know their lines."""

    data: dict[str, Any]
    node: yaml.Node

    def line_of(self, place: str) -> int:
        """The line of `.flows[0].rules[1]`, or of what is nearest above it."""
        node, line = self.node, self.node.start_mark.line
        for name, position in _STEP.findall(place):
            inner = _inner(node, name, position)
            if inner is None:
                break
            # A block below its key begins on a line of its own; people look for the key.
            line = _key_line(node, name) if name else inner.start_mark.line
            node = inner
        return int(line) + 1

    def read_as(self, shape: type[Shape], key: str = "") -> Shape:
        """The data, or what stands under one key of them, in their declared shape. Raises InvalidSource."""
        try:
            return msgspec.convert(self.data[key] if key else self.data, shape)
        except msgspec.ValidationError as error:
            reason, _, path = str(error).partition(" - at `$")
            place = (f".{key}" if key else "") + path.strip("`")
            raise InvalidSource(f"{reason}.", line=self.line_of(place), place=place.lstrip(".")) from error


def read_document(text: str) -> Document:
    """This function will read a text as YAML with a mapping at its top. Raises InvalidSource."""
    if len(text) > LONGEST_SOURCE:
        raise InvalidSource(f"At most {LONGEST_SOURCE:,} characters are taken.")
    loader = None
    try:
        loader = SourceLoader(text)
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "unreadable"
        raise InvalidSource(f"This is not YAML: {reason}.", line=mark.line + 1 if mark else 0) from None
    except ValueError as error:
        raise InvalidSource(f"This is not YAML: {error}.") from None
    finally:
        if loader is not None:
            loader.dispose()
    if node is None or not isinstance(data, dict):
        raise InvalidSource("This is no list of `key: value` lines.", line=1)
    return Document(data, node)


def read_template_source(text: str) -> tuple[dict[str, Any], TemplateSpec]:
    """This function will read and check a template. Raises InvalidSource with line, place and reason."""
    document = read_document(text)
    try:
        spec = parse_template(document.data)
    except InvalidDefinition as error:
        raise locate(document, error) from error
    if not KEY.match(spec.key):
        raise InvalidSource("A key has small letters, digits and -.", line=document.line_of(".key"), place="key")
    if not NUMBER.match(spec.version):
        raise InvalidSource('A version is like "1.2.0".', line=document.line_of(".version"), place="version")
    if not spec.flows:
        raise InvalidSource("A template has at least one flow.", line=document.line_of(".flows"), place="flows")
    return document.data, spec


def locate(document: Document, mistake: InvalidDefinition) -> InvalidSource:
    """The mistake at its line, or at the line of what it quotes."""
    if not mistake.path:
        return InvalidSource(_sentence(mistake.reason))
    line = _line_in(document, mistake.path, mistake.reason)
    return InvalidSource(_sentence(mistake.reason), line=line, place=mistake.where or mistake.path.lstrip("."))


def number_key(number: str) -> tuple[int, ...]:
    """Versions in their order: 1.10 comes after 1.9."""
    return tuple(int(part) for part in number.split(".") if part.isdigit())


def next_number(number: str) -> str:
    """The next minor version."""
    parts = [*number_key(number), 0, 0, 0][:3]
    return f"{parts[0]}.{parts[1] + 1}.0"


def with_top_level(text: str, **values: str) -> str:
    """The text with lines at its top level replaced; comments and order stay. A key that is not there is added on top."""
    for name, value in values.items():
        line = yaml.safe_dump({name: value}, allow_unicode=True, width=10_000).strip()
        pattern = re.compile(rf"^{name}:.*$", re.MULTILINE)
        found = pattern.search(text)
        text = f"{text[: found.start()]}{line}{text[found.end() :]}" if found else f"{line}\n{text}"
    return text


def as_source(data: dict[str, Any]) -> str:
    """Plain data as YAML in the order it is in."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Long texts as blocks; no aliases, which are not taken back."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _inner(node: yaml.Node, name: str, position: str) -> yaml.Node | None:
    if position and isinstance(node, yaml.SequenceNode) and int(position) < len(node.value):
        found: yaml.Node = node.value[int(position)]
        return found
    if name and isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == name), None)
    return None


def _key_line(node: yaml.Node, name: str) -> int:
    return next(int(key.start_mark.line) for key, _ in node.value if key.value == name)


def _line_in(document: Document, place: str, message: str) -> int:
    """The line within the place that holds what the message quotes, or the place's own."""
    node = document.node
    for name, position in _STEP.findall(place):
        node = _inner(node, name, position) or node
    quoted = [match.group(1) or match.group(2) for match in _QUOTED.finditer(message)]
    scalars = _scalars(node)
    for wanted in quoted:
        for scalar in scalars:
            if wanted in str(scalar.value):
                return int(scalar.start_mark.line) + 1
    # A mistake in an expression begins with the name of its field.
    name = message.partition(":")[0]
    named = next((scalar for scalar in scalars if scalar.value == name), node)
    return int(named.start_mark.line) + 1


def _scalars(node: yaml.Node) -> list[yaml.ScalarNode]:
    if isinstance(node, yaml.MappingNode):
        return [found for pair in node.value for part in pair for found in _scalars(part)]
    if isinstance(node, yaml.SequenceNode):
        return [found for part in node.value for found in _scalars(part)]
    return [node] if isinstance(node, yaml.ScalarNode) else []


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
