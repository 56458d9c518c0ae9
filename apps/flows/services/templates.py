"""Bringing the shipped template files into the partner's catalogue."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from apps.flows.definition import TemplateSpec, parse_template
from apps.flows.models import IntegrationTemplate, IntegrationTemplateVersion

LIBRARY = Path(__file__).resolve().parents[1] / "templates_library"


class TemplateLoader(yaml.SafeLoader):
    """YAML without its surprises: `on`, `yes` and `no` are words."""


TemplateLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":timestamp"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
TemplateLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


class TemplateChanged(RuntimeError):
    """A released version's file was edited: deployed integrations rely on it; give the change a new version."""


@transaction.atomic
def load_templates(*, now: datetime) -> list[IntegrationTemplateVersion]:
    """This function will add every template version that is not there yet; calling it again changes nothing."""
    return [_load(read_template(path), now) for path in sorted(LIBRARY.glob("*.yaml"))]


def read_template(path: Path) -> dict[str, Any]:
    data = yaml.load(path.read_text(), Loader=TemplateLoader)  # noqa: S506 - a SafeLoader
    assert isinstance(data, dict)  # noqa: S101 - shipped files; parse_template checks the rest
    return data


def _load(data: dict[str, Any], now: datetime) -> IntegrationTemplateVersion:
    spec: TemplateSpec = parse_template(data)
    template, _ = IntegrationTemplate.objects.update_or_create(
        key=spec.key, defaults={"name": spec.name, "summary": spec.summary}
    )
    version, created = IntegrationTemplateVersion.objects.get_or_create(
        template=template, number=spec.version, defaults={"definition": data, "released_at": now}
    )
    if not created and version.definition != data:
        raise TemplateChanged(f"{spec.key} {spec.version}")
    return version
