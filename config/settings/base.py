"""Settings shared by every environment; whatever differs between machines comes from environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parents[2]


def database_options(url: str) -> dict[str, object]:
    """This function will turn `postgresql://user:password@host:port/name` (or `?host=/socket/dir`) into Django's form."""
    parts = urlsplit(url)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "NAME": parts.path.lstrip("/") or "postgres",
        "USER": unquote(parts.username or "postgres"),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": str(query.get("port", parts.port or "")),
    }


SECRET_KEY = os.environ.get("INTERLACE_SECRET_KEY", "")
DEBUG = False
ALLOWED_HOSTS = ["*"]  # the domain look-up decides: an unknown host is a neutral 404
PLATFORM_DOMAIN = os.environ.get("INTERLACE_PLATFORM_DOMAIN", "localhost")
PLATFORM_PORT = os.environ.get("INTERLACE_PLATFORM_PORT", "")
PLATFORM_SCHEME = os.environ.get("INTERLACE_PLATFORM_SCHEME", "https")

# Both planes hold these (same code, two books: ours with partners, a partner's with customers).
BOTH_PLANES = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "apps.audit",
    "apps.events",
    "apps.notifications",
    "apps.accounts",
    "apps.billing",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]
SHARED_APPS = [
    "django_tenants",
    "apps.tenants",
    "apps.dispatch",
    "apps.provisioning",
    *BOTH_PLANES,
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "apps.core",
    "apps.ui",
    "apps.api",
    "apps.partner_portal",
    "apps.customer_portal",
    "apps.backoffice",
]
TENANT_APPS = [
    *BOTH_PLANES,
    "apps.branding",
    "apps.customers",
    "apps.connectors",
    "apps.canonical",
    "apps.flows",
    "apps.sync",
    "apps.monitoring",
    "apps.modernization",
    "apps.sla",
]
INSTALLED_APPS = SHARED_APPS + [app for app in TENANT_APPS if app not in SHARED_APPS]
TENANT_MODEL = "tenants.Partner"
TENANT_DOMAIN_MODEL = "tenants.Domain"
# How long a web process trusts its memory of which partner a host leads to: the longest a suspension takes to be felt.
PARTNER_LOOKUP_SECONDS = 3.0
# How old the month's service levels in a list of customers may be; a customer's own page counts anew.
SLA_STANDING_SECONDS = 60
PUBLIC_SCHEMA_URLCONF = "config.urls.public"
ROOT_URLCONF = "config.urls.partner"
TENANT_LIMIT_SET_CALLS = True
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

DATABASES = {
    "default": {
        "ENGINE": "config.database",
        **database_options(os.environ.get("DATABASE_URL", "postgresql://postgres@localhost/interlace")),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 8, "max_lifetime": 900, "max_idle": 120}},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "apps.core.middleware.RequestIdMiddleware",
    "apps.core.middleware.SecurityHeadersMiddleware",
    "apps.core.middleware.NullCharacterMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.tenants.middleware.PartnerMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "apps.accounts.middleware.TimeZoneMiddleware",
    "apps.accounts.middleware.AccountFrameMiddleware",
    "apps.ui.forms.FieldCheckMiddleware",
]
# What only machines call (`MACHINE_URLCONF`) passes through these alone.
MACHINE_URLCONF = "config.urls.machine"
MACHINE_MIDDLEWARE = [
    "apps.core.middleware.RequestIdMiddleware",
    "apps.core.middleware.SecurityHeadersMiddleware",
    "apps.core.middleware.NullCharacterMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "apps.tenants.middleware.MachinePartnerMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.branding.context_processors.brand",
                "apps.accounts.context_processors.account_tabs",
                "apps.accounts.context_processors.list_settings",
                "apps.ui.context_processors.ui",
            ],
            "builtins": ["apps.ui.templatetags.ui"],
        },
    }
]
FORM_RENDERER = "apps.ui.form_markup.FormRenderer"
WSGI_APPLICATION = "config.wsgi.application"

AUTH_USER_MODEL = "accounts.User"
# A constraint keeps addresses unique without regard to case, which the check does not see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# A link's key signs only the address's primary key and would be valid at every partner; a code is bound to the session.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "apps.accounts.library_forms.LoginForm",
    "reset_password": "apps.accounts.library_forms.ResetPasswordForm",
    "reset_password_from_key": "apps.accounts.library_forms.ResetPasswordKeyForm",
    "change_password": "apps.accounts.library_forms.ChangePasswordForm",
    "add_email": "apps.accounts.library_forms.AddEmailForm",
    "confirm_email_verification_code": "apps.accounts.library_forms.ConfirmEmailVerificationCodeForm",
    "reauthenticate": "apps.accounts.library_forms.ReauthenticateForm",
}
MFA_FORMS = {
    "authenticate": "apps.accounts.library_forms.AuthenticateForm",
    "reauthenticate": "apps.accounts.library_forms.MfaReauthenticateForm",
    "activate_totp": "apps.accounts.library_forms.ActivateTotpForm",
}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # asking for a reset must not send mail to strangers
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "apps.accounts.mfa.MfaAdapter"
MFA_TOTP_TOLERANCE = 1
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("INTERLACE_TRUSTED_PROXIES", "0"))

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "apps.ui.views.csrf_failure"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache"
        if os.environ.get("REDIS_URL")
        else "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": os.environ.get("REDIS_URL", ""),
        # Without it, user 1 of every partner would share the one-time-code replay key and rate limits.
        "KEY_FUNCTION": "django_tenants.cache.make_key",
    }
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
# Not the sources: their imports are resolved by the bundler and would stop the manifest.
STATICFILES_DIRS = [("dist", BASE_DIR / "static" / "dist"), ("img", BASE_DIR / "static" / "img")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# The broker's library has a name of its own for Redis behind a socket.
# A worker that is silent for so long is dead; what it had claimed, and what the broker lost, is due again after the lease.
RUN_STALE_SECONDS = int(os.environ.get("INTERLACE_RUN_STALE_SECONDS", "180"))
DISPATCH_LEASE_SECONDS = int(os.environ.get("INTERLACE_DISPATCH_LEASE_SECONDS", "600"))

CELERY_BROKER_URL = os.environ.get("REDIS_URL", "memory://").replace("unix://", "redis+socket://", 1)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "small"
CELERY_TASK_ROUTES = {
    # A file of a million lines must not keep a flow waiting.
    **{
        f"sync.{name}": {"queue": "small"} for name in ("make_export", "expire_export", "purge_logs", "carry_out_retry")
    },
    "sync.*": {"queue": "sync"},
}
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# Sealing keys: {key id: 32 bytes hex}; the last one seals, all of them open.
CREDENTIAL_KEYS = dict(
    pair.split(":", 1) for pair in os.environ.get("INTERLACE_CREDENTIAL_KEYS", "").split(",") if ":" in pair
)
OUTBOUND_ALLOW_PRIVATE = False
# Holds every recorded event against its published schema: for tests.
CHECK_EVENT_DATA = False
# For so long a worker keeps to what it knows of a partner's rules for its log.
LOG_SETTINGS_SECONDS = 5
# For so long it keeps to the hosts that a partner's connections may call.
ALLOWED_HOSTS_SECONDS = 5
# What the uploaded files of one customer may come to, those that were read and are kept included.
UPLOADS_MAX_FILES = int(os.environ.get("INTERLACE_UPLOADS_MAX_FILES", "1000"))
UPLOADS_MAX_BYTES = int(os.environ.get("INTERLACE_UPLOADS_MAX_MB", "5000")) * 1024 * 1024
SANDBOX_URL = os.environ.get("INTERLACE_SANDBOX_URL", "")

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = os.environ.get("INTERLACE_MAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("INTERLACE_MAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("INTERLACE_MAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("INTERLACE_MAIL_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("INTERLACE_MAIL_SECURITY", "") == "starttls"
EMAIL_USE_SSL = os.environ.get("INTERLACE_MAIL_SECURITY", "") == "tls"
EMAIL_TIMEOUT = 30
# Mails with a one-time code or link are blanked once sent; only the demo, which has no mail server, keeps them.
KEEP_SECRET_MAILS = False
DEFAULT_FROM_EMAIL = os.environ.get("INTERLACE_MAIL_FROM", "no-reply@localhost")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.api.permissions.DeclaredAccess"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.parsing.StorableJsonParser"],
    "DEFAULT_SCHEMA_CLASS": "apps.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "apps.api.problems.problem_handler",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Managed integration API",
    "VERSION": "1",
    # Where fields of one name have other choices elsewhere, or one set of choices has several names.
    "ENUM_NAME_OVERRIDES": {
        "ConnectionStatus": "apps.connectors.models.ConnectionStatus",
        "DeletionReviewStatus": ["waiting", "approved", "rejected"],
        "DeliveryStatus": "apps.notifications.models.DeliveryStatus",
        "EndpointStatus": "apps.notifications.models.EndpointStatus",
        "EntityKind": "apps.canonical.models.Entity",
        "EnvironmentKind": "apps.customers.models.EnvironmentKind",
        "ErrorClass": "apps.sync.models.ErrorClass",
        "ExportKind": "apps.sync.models.ExportKind",
        "FindingKind": "apps.modernization.models.DifferenceKind",
        "LegacyInterfaceKind": "apps.modernization.models.InterfaceKind",
        "RunStatus": "apps.sync.models.RunStatus",
        "VersionStatus": "apps.flows.models.VersionStatus",
    },
}
