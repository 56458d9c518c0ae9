"""What load balancers and supervisors ask: is the process alive, and may it be given work?"""

from __future__ import annotations

import structlog
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.accounts.access import Audience, requires

log = structlog.get_logger(__name__)


@never_cache
@require_safe
@requires(Audience.MACHINE)
def report_health(request: HttpRequest) -> HttpResponse:
    return _answer("ok\n")


@never_cache
@require_safe
@requires(Audience.MACHINE)
def report_readiness(request: HttpRequest) -> HttpResponse:
    """Names what is missing, so that a failing deploy can be understood from the outside."""
    missing = [name for name, works in (("database", _database_answers), ("cache", _cache_answers)) if not works()]
    if missing:
        return _answer(f"not ready: {', '.join(missing)}\n", status=503)
    return _answer("ready\n")


def _answer(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        log.exception("health.database_unavailable")
        return False
    return True


def _cache_answers() -> bool:
    try:
        cache.set("readiness", "1", timeout=5)
        return bool(cache.get("readiness") == "1")
    except Exception:  # each cache library has errors of its own
        log.exception("health.cache_unavailable")
        return False
