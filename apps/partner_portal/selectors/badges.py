"""The numbers beside the navigation, for every page: one question to the database."""

from __future__ import annotations

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


def count_badges(actor: Actor) -> dict[str, int | str]:
    """{page: what waits there, from 1,000 on as “999+”}, for the pages the actor may open."""
    open_ones = MatchQuestion.objects.visible_to(actor).filter(status=QuestionStatus.OPEN)
    values = list_value_questions(actor).order_by().values("pk")
    reviews = list_deletion_reviews(actor).order_by().values("pk")
    approvals = ApprovalRequest.objects.visible_to(actor).filter(status=ApprovalStatus.OPEN, audience="partner")
    exceptions = BusinessException.objects.visible_to(actor).needing_somebody(clock.now())
    waiting: dict[str, tuple[str, QuerySet[Any]]] = {
        "partner_portal:approvals": ("approvals.view", approvals),
        "partner_portal:errors": ("errors.view", unsolved_failures(actor)),
        "partner_portal:questions": ("records.view", open_ones.values("pk").union(values, reviews, all=True)),
        "partner_portal:exceptions": ("exceptions.view", exceptions),
    }
    rows = {
        page: found.order_by().values("pk")[: MOST + 1]
        for page, (permission, found) in waiting.items()
        if actor.can(permission)
    }
    if not rows:
        return {}
    parts: list[str] = []
    parameters: list[Any] = []
    for found in rows.values():
        statement, given = found.query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({statement}) waiting)")  # noqa: S608 - compiled by Django
        parameters += given
    counts = fetch_rows(f"SELECT {', '.join(parts)}", parameters)[0]
    told = (count if count <= MOST else f"{MOST}+" for count in counts)
    return dict(zip(rows, told, strict=True))
