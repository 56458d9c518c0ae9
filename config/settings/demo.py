"""The demo: loopback only, embedded services, simulated vendors on private addresses."""

from config.settings.base import *

DEBUG = False
SECRET_KEY = "demo-only-and-never-in-production"  # noqa: S105 - a loopback demo holds no secret
PLATFORM_SCHEME = "http"
CREDENTIAL_KEYS = {"demo1": "6f" * 32}
OUTBOUND_ALLOW_PRIVATE = True
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # every mail is kept and readable in the portal
KEEP_SECRET_MAILS = True
DEMO = True
# On the loopback compression saves nothing, and compressing takes half a minute.
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
# Quick to compute: fifteen people are made at the first start, all with the same published password.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
