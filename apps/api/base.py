"""What every endpoint shares: access, paging, idempotent posts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from apps.accounts.access import AccessPolicy, Audience
from apps.api.idempotency import answer_once
from apps.api.paging import paginate
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError

_parameters: dict[tuple[type[APIView], str], frozenset[str]] = {}


class ApiView(APIView):
    """`scopes` names the scope each method takes; a method without one is refused.

    `body_names` says what a field that services complain about is called in the body.
    """

    access_policy = AccessPolicy(Audience.API)
    scopes: ClassVar[dict[str, str]] = {}
    body_names: ClassVar[dict[str, str]] = {}

    @property
    def actor(self) -> Actor:
        actor: Any = self.request.user
        return actor  # type: ignore[no-any-return]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whoever may ask at all is told of a misspelled filter: ignored, it would have everything listed."""
        super().initial(request, *args, **kwargs)
        known = _parameters_of(self, request.method or "")
        choice = f"Use one of {', '.join(sorted(known))}." if known else "This address takes none."
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            raise ValidationError({name: [f"There is no such parameter. {choice}"] for name in unknown})

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, AnticipatedError):
            exc.field = self.body_names.get(exc.field, exc.field)
        return super().handle_exception(exc)

    def list(
        self, rows: QuerySet[Any], serializer: type[BaseSerializer[Any]], prepare: Callable[[Any], Any] | None = None
    ) -> Response:
        page, next_cursor = paginate(self.request, rows)
        items = [prepare(row) for row in page] if prepare else page
        return Response({"data": serializer(items, many=True).data, "next_cursor": next_cursor})

    def read(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The validated input; raises ValidationError with pointers."""
        given = serializer(data=self.request.data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def asked(self, name: str, known: Collection[str]) -> str:
        """One of `known` that the address asks for; empty where it does not. Raises ValidationError."""
        given = self.request.query_params.get(name)
        if given is None:
            return ""
        if given not in known:
            raise ValidationError({name: [f"Use one of {', '.join(known)}."]})
        return given

    def once(self, act: Callable[[], Response], *, told_once: Collection[str] = ()) -> Response:
        """`told_once` names secret parts of the answer, which a repeated request is not told again."""
        return answer_once(self.request, self.actor, clock.now(), act, told_once=told_once)


def _parameters_of(view: ApiView, method: str) -> frozenset[str]:
    """The names that the published description gives a method's query."""
    key = (type(view), method)
    if key not in _parameters:
        described = getattr(getattr(view, method.lower(), None), "kwargs", {}).get("schema")
        schema = described() if described else None
        if schema:
            schema.view, schema.method = view, method
        found = schema.get_override_parameters() if schema else []
        _parameters[key] = frozenset(one.name for one in found if one.location == OpenApiParameter.QUERY)
    return _parameters[key]


def paged(serializer: type[BaseSerializer[Any]]) -> type[BaseSerializer[Any]]:
    """The published shape of a page of `serializer`."""
    name = f"{serializer.__name__.removesuffix('Serializer')}Page"
    fields: dict[str, Any] = {
        "data": serializer(many=True),
        "next_cursor": serializers.CharField(allow_null=True, help_text="Give it as `cursor` to get the next page."),
    }
    return type(f"{name}Serializer", (serializers.Serializer,), fields)
