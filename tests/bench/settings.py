"""The web process under measurement: as in production, on the database of the tests, with a bare view beside."""

from config.settings import base
from config.settings.test import *  # noqa: F403
from config.settings.test import DATABASES

DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 8}}
ROOT_URLCONF = "tests.bench.urls"
MACHINE_URLCONF = "tests.bench.machine_urls"
CELERY_TASK_ALWAYS_EAGER = False
# As in production, unlike in tests.
CHECK_EVENT_DATA = base.CHECK_EVENT_DATA
PARTNER_LOOKUP_SECONDS = base.PARTNER_LOOKUP_SECONDS
SLA_STANDING_SECONDS = base.SLA_STANDING_SECONDS
LOG_SETTINGS_SECONDS = base.LOG_SETTINGS_SECONDS
ALLOWED_HOSTS_SECONDS = base.ALLOWED_HOSTS_SECONDS
