"""Each endpoint says which scope each method takes; one that says nothing is closed."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.core.actor import Actor
from apps.core.errors import NotPermitted

ANY_SCOPE = "any"  # whoever holds a key


class DeclaredAccess(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises NotPermitted with the scope that is missing."""
        actor: Any = request.user
        if not isinstance(actor, Actor):
            return False
        scope = getattr(view, "scopes", {}).get("GET" if request.method == "HEAD" else request.method)
        if scope is None:
            return False
        if scope != ANY_SCOPE and not actor.can(scope):
            raise NotPermitted(f"This API key lacks the scope {scope}. Create a key that has it.")
        return True
