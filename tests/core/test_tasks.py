"""Tasks run in the schema that enqueued them, after commit, or not at all."""

from types import SimpleNamespace

import pytest
from celery import shared_task
from celery.exceptions import NotRegistered
from celery.fixups.django import DjangoWorkerFixup
from django.db import connection

from apps.core.planes import NoPlane, current_schema, public_plane
from apps.core.tasks import enqueue, enqueue_in
from apps.tenants.models import Partner
from config.celery import app, return_connections

seen: list[str] = []


@shared_task(name="tests.note_schema")
def note_schema(**_: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        seen.append(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def forget() -> None:
    seen.clear()


def test_a_task_runs_in_the_schema_that_enqueued_it(partner: Partner, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        enqueue("tests.note_schema")
        assert seen == []

    assert seen == ["p_acme"]
    assert current_schema() == "p_acme"


def test_a_task_without_a_schema_is_refused(db: None, django_capture_on_commit_callbacks) -> None:
    with pytest.raises(NoPlane), public_plane(), django_capture_on_commit_callbacks(execute=True):
        enqueue("tests.note_schema")

    assert seen == []


def test_the_dispatcher_names_the_schema(db: None, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        enqueue_in("p_globex", "tests.note_schema")

    assert seen == ["p_globex"]


def test_a_name_nobody_registered_fails_at_once(partner: Partner) -> None:
    with pytest.raises(NotRegistered):
        enqueue("tests.no_such_task")


def test_around_a_task_connections_are_given_back_and_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr("django.db.close_old_connections", lambda: calls.append("given back"))
    monkeypatch.setattr(DjangoWorkerFixup, "_close_database", lambda self: calls.append("ended"))
    worker = DjangoWorkerFixup(app)

    for is_eager in (False, True):
        sender = SimpleNamespace(request=SimpleNamespace(is_eager=is_eager))
        for handler in (worker.on_task_prerun, worker.on_task_postrun, return_connections):
            handler(sender=sender)

    assert calls == ["given back"]
