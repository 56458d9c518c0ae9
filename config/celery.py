"""The Celery application. Web processes need the task names too, hence the eager autodiscovery."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.demo")

app = Celery("interlace", task_cls="apps.core.tasks:PlaneTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
