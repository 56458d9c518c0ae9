"""The Celery application. Web processes need the task names too, hence the eager autodiscovery."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_postrun, task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.demo")

app = Celery("interlace", task_cls="apps.core.tasks:PlaneTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
# The library would end a prefork worker's connections to the database around every task: a new one costs more than most
# tasks, since it knows no table yet. `return_connections` does what is needed.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000_000
app.autodiscover_tasks()


@task_prerun.connect
@task_postrun.connect
def return_connections(sender: Any, **kwargs: Any) -> None:
    """As around a request: what failed is closed, the rest goes back to the process's pool."""
    from django.db import close_old_connections

    if not getattr(sender.request, "is_eager", False):
        close_old_connections()
