"""Tests: a throw-away database, eager tasks, mail in memory, cheap password hashes."""

from config.settings.base import *
from config.settings.base import DATABASES

SECRET_KEY = "test"  # noqa: S105
PLATFORM_DOMAIN = "localhost"
PLATFORM_SCHEME = "http"
CREDENTIAL_KEYS = {"test1": "11" * 32, "test2": "22" * 32}
OUTBOUND_ALLOW_PRIVATE = True
CHECK_EVENT_DATA = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# What a test rolls back must not be remembered by the next.
PARTNER_LOOKUP_SECONDS = 0
SLA_STANDING_SECONDS = 0
LOG_SETTINGS_SECONDS = 0
ALLOWED_HOSTS_SECONDS = 0
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
DATABASES["default"]["OPTIONS"] = {}  # one connection per test process: the test transaction must see everything
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
