"""Atlassian Document Format: the tree of nodes that version 3 of the API uses for long texts."""

from __future__ import annotations

from typing import Any

from apps.connectors.sdk.types import JsonDict

# Nodes that end a line; everything else runs on.
BLOCKS = frozenset({"paragraph", "heading", "codeBlock", "listItem", "blockquote", "rule", "tableRow", "mediaSingle"})


def as_text(document: Any) -> str:
    """The words of a document, one line per block; a plain string (as other versions of the API give) is itself."""
    if document is None:
        return ""
    if isinstance(document, str):
        return document.strip()
    lines = "".join(_pieces(document)).split("\n")
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _pieces(node: JsonDict) -> list[str]:
    kind, attributes = node.get("type"), node.get("attrs") or {}
    if kind == "text":
        return [node.get("text", "")]
    if kind == "hardBreak":
        return ["\n"]
    shown = attributes.get("text") or attributes.get("shortName") or attributes.get("url") or ""
    inner = [piece for child in node.get("content") or [] for piece in _pieces(child)]
    return [str(shown), *inner, *(["\n"] if kind in BLOCKS else [])]


def document(text: str) -> JsonDict:
    """A document of one paragraph per line."""
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}] if line else []} for line in text.split("\n")
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}
