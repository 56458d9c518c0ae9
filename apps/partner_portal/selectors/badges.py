"""The numbers beside the navigation, for every page: one question to the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from apps.canonical.models import MatchQuestion, QuestionStatus
from apps.canonical.selectors import list_value_questions
from apps.core import clock
from apps.core.actor import Actor
from apps.core.bulk import fetch_rows
from apps.monitoring.models import BusinessException
from apps.partner_portal.selectors.failures import unsolved_failures
from apps.sync.models import ApprovalRequest, ApprovalStatus
from apps.sync.selectors import list_deletion_reviews

# Beside a name nobody reads an exact large number, and to count all of them on every page would take long.
MOST = 999


_PERMISSIONS = {
    "partner_portal:approvals": "approvals.view",
    "partner_portal:errors": "errors.view",
    "partner_portal:questions": "records.view",
    "partner_portal:exceptions": "exceptions.view",
}
# Stands for the moment in a statement that is kept.
_NOW = datetime.max.replace(tzinfo=UTC)
_statements: dict[tuple[str, ...], tuple[str, list[Any]]] = {}


def count_badges(actor: Actor) -> dict[str, int | str]:
    """{page: what waits there, from 1,000 on as “999+”}, for the pages the actor may open."""
    pages = tuple(page for page, permission in _PERMISSIONS.items() if actor.can(permission))
    if not pages:
        return {}
    statement, parameters = _statement(actor, pages)
    now = clock.now()
    counts = fetch_rows(statement, [now if given is _NOW else given for given in parameters])[0]
    told = (count if count <= MOST else f"{MOST}+" for count in counts)
    return dict(zip(pages, told, strict=True))


def _statement(actor: Actor, pages: tuple[str, ...]) -> tuple[str, list[Any]]:
    """Put together once for all of the team: for every page anew, that would take longer than asking."""
    if actor.scope is not None:
        return _compile(actor, pages)
    if pages not in _statements:
        _statements[pages] = _compile(actor, pages)
    return _statements[pages]


def _compile(actor: Actor, pages: tuple[str, ...]) -> tuple[str, list[Any]]:
    open_ones = MatchQuestion.objects.visible_to(actor).filter(status=QuestionStatus.OPEN)
    values = list_value_questions(actor).order_by().values("pk")
    reviews = list_deletion_reviews(actor).order_by().values("pk")
    waiting: dict[str, QuerySet[Any]] = {
        "partner_portal:approvals": ApprovalRequest.objects.visible_to(actor).filter(
            status=ApprovalStatus.OPEN, audience="partner"
        ),
        "partner_portal:errors": unsolved_failures(actor),
        "partner_portal:questions": open_ones.values("pk").union(values, reviews, all=True),
        "partner_portal:exceptions": BusinessException.objects.visible_to(actor).needing_somebody(_NOW),
    }
    parts: list[str] = []
    parameters: list[Any] = []
    for page in pages:
        statement, given = waiting[page].order_by().values("pk")[: MOST + 1].query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({statement}) waiting)")  # noqa: S608 - compiled by Django
        parameters += given
    return f"SELECT {', '.join(parts)}", parameters
