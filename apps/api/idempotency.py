"""`Idempotency-Key`: a repeated POST gets the first one's answer and does nothing again. Kept 24 hours per API key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, Conflict
from apps.events.models import IdempotencyRecord

KEPT = timedelta(hours=24)
# A process that died in the middle left no answer; after this long the request may be made again.
ABANDONED = timedelta(minutes=10)
MAX_LENGTH = 200


class IdempotencyKeyReused(AnticipatedError):
    """The key came with another request before."""

    status = 422
    code = "idempotency_key_reused"


class RequestInProgress(Conflict):
    """The first request with this key has not been answered yet."""

    code = "request_in_progress"


def answer_once(
    request: Request, actor: Actor, now: datetime, act: Callable[[], Response], *, told_once: Collection[str] = ()
) -> Response:
    """This function will run `act`, or return what it answered when the same key came before.

    `told_once` names parts of the answer that are secret: they are not kept, and null in a repeated answer.

    A refusal (4xx, 5xx) is not kept: the caller mends the request and may use the key again.
    """
    value = request.headers.get("Idempotency-Key", "")
    if not value:
        return act()
    if len(value) > MAX_LENGTH or not (value.isascii() and value.isprintable()):
        raise IdempotencyKeyReused(
            f"An Idempotency-Key has at most {MAX_LENGTH} characters: letters, digits and signs."
        )
    record, is_first = _claim(request, actor, value, now)
    if not is_first:
        return Response(record.body, status=record.status, headers={"Idempotent-Replayed": "true"})
    try:
        response = act()
    except BaseException:
        record.delete()
        raise
    kept = {**response.data, **dict.fromkeys(told_once)} if told_once else response.data
    # As it is sent: what no column takes as it stands (a date, an amount) must not fail when everything is done.
    sent = json.loads(JSONRenderer().render(kept) or "null")
    IdempotencyRecord.objects.filter(pk=record.pk).update(status=response.status_code, body=sent)
    return response


def _claim(request: Request, actor: Actor, value: str, now: datetime) -> tuple[IdempotencyRecord, bool]:
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
    known = IdempotencyRecord.objects.filter(key_owner=f"key:{actor.id}", value=value)
    known.filter(created_at__lt=now - KEPT).delete()
    known.filter(status=None, created_at__lt=now - ABANDONED).delete()
    record, created = IdempotencyRecord.objects.get_or_create(
        key_owner=f"key:{actor.id}", value=value, defaults={"request_hash": digest, "created_at": now}
    )
    if created:
        return record, True
    if record.request_hash != digest:
        raise IdempotencyKeyReused("This Idempotency-Key was used for another request. Use a new one.")
    if record.status is None:
        raise RequestInProgress("The first request with this Idempotency-Key is still running. Try again shortly.")
    return record, False
