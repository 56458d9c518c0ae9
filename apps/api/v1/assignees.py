"""Colleagues as the API names them: by e-mail address."""

from __future__ import annotations

from uuid import UUID

from rest_framework.exceptions import ValidationError

from apps.accounts.selectors import find_member


def colleague_id(email: str | None) -> UUID | None:
    """The user on the partner's team with this address; None stands for nobody. Raises ValidationError."""
    if email is None:
        return None
    member = find_member(email)
    if member is None:
        raise ValidationError({"assignee": ["There is no such colleague."]})
    return member.user_id
