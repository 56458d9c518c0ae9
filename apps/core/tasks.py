"""Celery in two planes: tasks are enqueued by name, after commit, and run in the schema that enqueued them."""

from __future__ import annotations

from typing import Any

import structlog
from celery import Task, current_app
from django.db import transaction
from django_tenants.utils import get_public_schema_name
from kombu.exceptions import OperationalError

from apps.core import correlation
from apps.core.planes import NoPlane, current_schema, public_plane, tenant_plane

log = structlog.get_logger()
SCHEMA_HEADER = "x_schema"
REQUEST_HEADER = "x_request_id"


class PlaneTask(Task):  # type: ignore[type-arg]
    """A task that runs in the schema named by its header.

    Tasks declared with `public = True` run in public; every other task refuses to run without a tenant's schema.
    """

    abstract = True
    public = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        schema, request = self._headers()
        correlation.begin(request)
        if self.public:
            with public_plane():
                return self.run(*args, **kwargs)
        if not schema or schema == get_public_schema_name():
            raise NoPlane(f"task {self.name} was enqueued without a tenant's schema")
        with tenant_plane(schema):
            return self.run(*args, **kwargs)

    def _headers(self) -> tuple[str, str]:
        # A worker merges headers into the request; eager execution keeps them in `headers`.
        request: Any = self.request
        headers = {**(request.headers or {}), **vars(request)}
        return str(headers.get(SCHEMA_HEADER) or ""), str(headers.get(REQUEST_HEADER) or "")


def enqueue(name: str, *, countdown: float = 0, **kwargs: Any) -> None:
    """This function will hand `name` to a worker once the current transaction commits.

    Ids only in `kwargs`. The broker may lose the message: whatever must happen also stands in `dispatch` or the outbox.
    Raises celery.exceptions.NotRegistered at once for a name nobody registered.
    """
    task = current_app.tasks[name]
    headers = {SCHEMA_HEADER: current_schema(), REQUEST_HEADER: correlation.request_id()}

    def send() -> None:
        try:
            task.apply_async(kwargs=kwargs, countdown=countdown, headers=headers)
        except OperationalError as error:
            # What the message stands for is committed, and found without it a little later.
            log.warning("tasks.broker_unavailable", task=name, error=str(error)[:200])

    transaction.on_commit(send)


def enqueue_in(schema: str, name: str, **kwargs: Any) -> None:
    """Like `enqueue`, for the dispatcher: it stands in public and names the schema the work belongs to.

    Raises kombu's OperationalError where the broker does not answer.
    """
    task = current_app.tasks[name]
    headers = {SCHEMA_HEADER: schema, REQUEST_HEADER: correlation.request_id()}
    transaction.on_commit(lambda: task.apply_async(kwargs=kwargs, headers=headers))
