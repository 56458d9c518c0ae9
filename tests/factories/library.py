"""The shipped templates, loaded once a process."""

from __future__ import annotations

from datetime import UTC, datetime

from apps.flows.models import IntegrationTemplate
from apps.flows.services import load_templates
from tests.factories.kept import kept

SHIPPED = "opportunity-to-project"
RELEASED = datetime(2026, 10, 1, 6, tzinfo=UTC)


def load_library() -> None:
    """This function will put the shipped templates into the partner's catalog, beside whatever stands there."""
    if not IntegrationTemplate.objects.filter(key=SHIPPED).exists():
        kept("library", lambda: load_templates(now=RELEASED), on=(), identify=lambda _: "library")
