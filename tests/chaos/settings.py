"""The platform under attack: as in production, on the database of the tests, noticing the dead within seconds."""

from config.settings.test import *  # noqa: F403
from config.settings.test import DATABASES

DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 4}}
CELERY_TASK_ALWAYS_EAGER = False
# Longer than any call takes through the proxy, faults included.
RUN_STALE_SECONDS = 5
DISPATCH_LEASE_SECONDS = 8
