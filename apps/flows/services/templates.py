"""Bringing the shipped template files into the partner's catalogue."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import transaction

from apps.flows.definition import TemplateSpec, parse_template
from apps.flows.models import IntegrationTemplate, IntegrationTemplateVersion
from apps.flows.sources import number_key, read_document

LIBRARY = Path(__file__).resolve().parents[1] / "templates_library"


class TemplateChanged(RuntimeError):
    """A released version's file was edited: deployed integrations rely on it; give the change a new version."""


class TemplateKeyTaken(RuntimeError):
    """A file is shipped under a key that the partner gave to a template of its own."""


@transaction.atomic
def load_templates(*, now: datetime, library: Path = LIBRARY) -> list[IntegrationTemplateVersion]:
    """This function will add every template version that is not there yet; calling it again changes nothing.

    A file that is replaced by one with a higher version leaves the earlier version where it was loaded.
    """
    texts = [path.read_text() for path in sorted(library.glob("*.yaml"))]
    found = [(*_parsed(text), text) for text in texts]
    found.sort(key=lambda each: (each[0].key, number_key(each[0].version)))
    return [_load(spec, deepcopy(data), text, now) for spec, data, text in found]


@lru_cache(maxsize=64)
def _parsed(text: str) -> tuple[TemplateSpec, dict[str, Any]]:
    """Reading a file takes longer than all else of a new partner, and each partner gets the same ones."""
    data = read_document(text).data
    return parse_template(data), data


def shipped_versions(library: Path = LIBRARY) -> list[tuple[str, str]]:
    """Key and version of every file."""
    found = [read_template(path) for path in sorted(library.glob("*.yaml"))]
    return [(data["key"], data["version"]) for data in found]


def read_template(path: Path) -> dict[str, Any]:
    return read_document(path.read_text()).data


def _load(spec: TemplateSpec, data: dict[str, Any], text: str, now: datetime) -> IntegrationTemplateVersion:
    template, _ = IntegrationTemplate.objects.get_or_create(
        key=spec.key, defaults={"name": spec.name, "summary": spec.summary}
    )
    if template.is_own:
        raise TemplateKeyTaken(spec.key)
    version, created = IntegrationTemplateVersion.objects.get_or_create(
        template=template, number=spec.version,
        defaults={"definition": data, "source": text, "author_label": "Shipped", "released_at": now},
    )  # fmt: skip
    if not created and version.definition != data:
        raise TemplateChanged(f"{spec.key} {spec.version}")
    if not created and not version.source:
        version.source = text
        version.save(update_fields=["source"])
    if created:
        IntegrationTemplate.objects.filter(pk=template.pk).update(name=spec.name, summary=spec.summary)
    return version
