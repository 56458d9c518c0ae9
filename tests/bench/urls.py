"""The partner's pages and a bare view: one INSERT behind the same middleware."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from config.urls import partner

handler400, handler403, handler404, handler500 = (
    partner.handler400, partner.handler403, partner.handler404, partner.handler500,
)  # fmt: skip
_INSERT = """
INSERT INTO events_inboxevent (id, source, external_id, subject_key, payload, received_at, error)
VALUES (gen_random_uuid(), 'bare', gen_random_uuid()::text, '', %s, now(), '')
"""


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [request.body.decode()])
    return HttpResponse(status=200)


urlpatterns = [path("bare/", bare), *partner.urlpatterns]
