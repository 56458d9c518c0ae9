"""A second, slim way in for addresses that only machines call: no session, account, form, message or language.

A vendor's notice is acknowledged in well under a millisecond of work; the pages' middleware alone costs as much again.
What such an address needs stays: who is asked for, request id, security headers, refusal of addresses nobody can have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, get_path_info, get_script_name
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, get_resolver, set_script_prefix, set_urlconf
from django.utils.log import log_response
from django.utils.module_loading import import_string

Environment = dict[str, Any]
WSGIApplication = Callable[[Environment, Any], Iterable[bytes]]


class MachineHandler(WSGIHandler):
    """Serves the routes of `MACHINE_URLCONF` behind `MACHINE_MIDDLEWARE`. Its views answer with whole bodies."""

    def __init__(self) -> None:
        self.urlconf: str = settings.MACHINE_URLCONF
        self.resolver = get_resolver(self.urlconf)
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        handler = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]
        for name in reversed(settings.MACHINE_MIDDLEWARE):
            layer = import_string(name)(handler)
            if hasattr(layer, "process_view"):
                self._view_middleware.insert(0, layer.process_view)
            handler = convert_exception_to_response(layer)
        self._middleware_chain = handler

    def find(self, environ: Environment) -> ResolverMatch | None:
        """The route, where the address is a machine's."""
        try:
            return self.resolver.resolve(get_path_info(environ) or "/")
        except (Resolver404, UnicodeDecodeError):
            return None

    def answer(self, environ: Environment, start_response: Any, match: ResolverMatch) -> list[bytes]:
        set_script_prefix(get_script_name(environ))
        set_urlconf(self.urlconf)
        request = self.request_class(environ)
        request.resolver_match = match
        try:
            response = self.get_response(request)
        finally:
            # As after any request: the connection goes back to the pool, and the thread forgets whose addresses these were.
            connection.close_if_unusable_or_obsolete()
            set_urlconf(None)
        content: bytes = response.content
        response.headers.setdefault("Content-Length", str(len(content)))
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [content]

    def get_response(self, request: HttpRequest) -> HttpResponse:
        response = cast(HttpResponse, self._middleware_chain(request))
        request.close()
        if response.status_code >= 400:
            log_response(
                "%s: %s", response.reason_phrase, request.path, response=response, request=request
            )  # fmt: skip
        return response

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """Found before: it is what led here."""
        return cast(ResolverMatch, request.resolver_match)


def with_machines(pages: WSGIApplication, machines: MachineHandler) -> WSGIApplication:
    """What answers a machine's addresses slimly, and everything else as a page."""

    def application(environ: Environment, start_response: Any) -> Iterable[bytes]:
        match = machines.find(environ)
        if match is None:
            return pages(environ, start_response)
        return machines.answer(environ, start_response, match)

    return application
