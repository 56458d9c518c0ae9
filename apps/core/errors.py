"""Anticipated failures: each carries words for the person who caused it. Anything else is a bug."""

from __future__ import annotations


class AnticipatedError(Exception):
    """Base of failures a person can understand and act on.

    `user_message` says what happened and what to do; `status` is the HTTP status an edge answers with;
    `code` is stable and appears in API problem details.
    """

    status = 400
    code = "invalid"

    def __init__(self, user_message: str, *, field: str = "") -> None:
        super().__init__(user_message)
        self.user_message = user_message
        self.field = field


class NotVisible(AnticipatedError):
    """The thing does not exist, or not for this actor: deliberately the same answer."""

    status = 404
    code = "not_found"


class NotPermitted(AnticipatedError):
    """The actor may see the thing but not do this to it."""

    status = 403
    code = "not_permitted"


class Conflict(AnticipatedError):
    """The state has moved on, or someone else is at it."""

    status = 409
    code = "conflict"
