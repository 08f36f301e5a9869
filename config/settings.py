"""Settings. What differs between installations comes from the environment; the README lists the variables."""

import zoneinfo
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from config.databases import POSTGRESQL, SQLITE, database_settings, forget_connections_after_fork
from config.desk import UNFOLD  # noqa: F401  # a setting
from config.outside import document_storage, mail_servers
from config.secret_key import find_secret_key

django_stubs_ext.monkeypatch()  # so that `Paginator[Invoice]` and the like may be written at run time

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)

# --- Data -----------------------------------------------------------------------------------------------------------

DATABASES = {"default": database_settings(env.str("DATABASE_URL", "") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == POSTGRESQL:
    forget_connections_after_fork()

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "cache"}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# --- Application ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "auditlog",
    "django_countries",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "organizations",
    "billing",
]
MIDDLEWARE = [
    "config.middleware.RequestMetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.AuditMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.middleware.StaffSecondFactorMiddleware",
    "config.middleware.ReadOnlyVisitsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Users ----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "organizations.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
# Staff of the desk have a second factor, and give it again before they issue, refund or make keys.
REQUIRE_STAFF_MFA = env.bool("REQUIRE_STAFF_MFA", default=not DEBUG)
FRESH_FACTOR_MINUTES = env.int("FRESH_FACTOR_MINUTES", default=15)

ACCOUNT_ADAPTER = "organizations.sign_in.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # nobody signs up; says that people have an address and a password
ACCOUNT_EMAIL_VERIFICATION = "none"  # staff and imports write the addresses
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # who has no account gets no message, whoever asks for one
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {
    "login": "organizations.sign_in.forms.SignInForm",
    "reset_password": "organizations.sign_in.forms.ForgottenPasswordForm",
}
ACCOUNT_SESSION_REMEMBER = False  # closing the browser signs out
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = FRESH_FACTOR_MINUTES * 60
MFA_ADAPTER = "organizations.sign_in.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Unified Invoicing"
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG  # passkeys over plain HTTP, which browsers allow on localhost only

# --- Log of configuration changes (what is in it: organizations/audit.py, billing/audit.py) ---------------------------

AUDITLOG_USE_FK_STRING_REPRESENTATION = True  # names instead of keys
AUDITLOG_DISABLE_ON_RAW_SAVE = True  # fixtures bring what was logged where they come from
AUDITLOG_DISABLE_REMOTE_ADDR = True  # it would believe any X-Forwarded-For

# --- Language and time ----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
FORMAT_MODULE_PATH = ["config.formats"]
LOCALE_PATHS = [BASE_DIR / "billing" / "locale"]  # one catalogue for all packages

BILLING_TIME_ZONE = env.str("BILLING_TIME_ZONE", default="Europe/Paris")  # where a month begins and ends
if BILLING_TIME_ZONE not in zoneinfo.available_timezones():
    raise ImproperlyConfigured(f"BILLING_TIME_ZONE={BILLING_TIME_ZONE!r} is no time zone, such as Europe/Paris.")
TIME_ZONE = BILLING_TIME_ZONE  # and the one people read times in; stored instants are UTC
USE_TZ = True

# --- Static files ---------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG  # without collectstatic only when it serves one person

# --- Documents and e-mail --------------------------------------------------------------------------------------------

# Files of issued documents: in a folder, or where another storage of Django's keeps them (README: S3).
DOCUMENTS_DIR = Path(env.str("DOCUMENTS_DIR", default=str(BASE_DIR / "documents")))
STORAGES["documents"] = document_storage(
    env.str("DOCUMENTS_STORAGE", default=""), env.json("DOCUMENTS_STORAGE_OPTIONS", default={}), folder=DOCUMENTS_DIR
)
# Without a server e-mails wait, and the desk says so. `demo` and `serve` write them to files here instead.
MAILERS = mail_servers(env.str("EMAIL_URL", default="") or (f"filemail://{BASE_DIR / 'mails'}" if DEBUG else ""))
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="invoices@localhost")
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000" if DEBUG else "").rstrip("/")  # for links in e-mails

DOCUMENT_WORKERS = env.int("DOCUMENT_WORKERS", default=2)  # how many workers are woken to render what was issued

# --- Security -------------------------------------------------------------------------------------------------------

SECRET_KEY = find_secret_key(
    given=env.str("SECRET_KEY", default=""),
    # On SQLite everything lives on this machine, and its commands must work on a fresh checkout.
    may_generate=DEBUG or DATABASES["default"]["ENGINE"] == SQLITE,
    path=BASE_DIR / ".secret_key",
)
# The keys before it, so that changing it signs nobody out and loses no second factor.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])  # with DEBUG, Django adds localhost
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # probes come from inside, over plain HTTP
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
# Only behind a proxy that sets this header itself, whatever the client sends.
if env.bool("TRUST_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # limits on signing in count by what the proxy adds to X-Forwarded-For
# Sub-domains and preload lists (W005, W021) are for whoever owns the domain to decide, not for one site on it.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "models.W040"]
X_FRAME_OPTIONS = "DENY"

SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
# Unfold's pages are built on Alpine, which evaluates expressions, and on inline styles.
ADMIN_CSP = {
    **SECURE_CSP,
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}

# --- Platform API ---------------------------------------------------------------------------------------------------

API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=6_000)  # per key; 0: as many as it likes

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Unified Invoicing: platform API",
    "DESCRIPTION": (
        "Usage in, invoices out. Amounts and quantities are strings with a decimal point, times carry an offset, "
        "months are consumption months.\n\nEvery error is a problem (RFC 9457) with a stable `code`. `RateLimit` and "
        "`RateLimit-Policy` say how many requests a key has left in this minute. No key can issue or refund."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "billing.api.schema.components.add_components",
        "billing.api.schema.webhooks.add_webhooks",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Tasks ----------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True  # what a task did is in the database
CELERY_TIMEZONE = TIME_ZONE
# Whether webhooks may be addresses of private networks, over plain HTTP too: for tests, and for platforms that are one.
WEBHOOKS_ALLOW_PRIVATE = env.bool("WEBHOOKS_ALLOW_PRIVATE", default=False)
CLOSE_WORKERS = env.int("CLOSE_WORKERS", default=2)  # how many workers a month close wakes
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": "celery:"} if REDIS_URL else {}  # the cache lives beside it

# --- Logs -----------------------------------------------------------------------------------------------------------

# Not a line for each of the many times that the schedule finds nothing to do.
SELDOM_LOGGED = ("work_on_bulk_jobs", "check_drafts", "wake_for_documents")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {
        "seldom": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: not any(task in record.getMessage() for task in SELDOM_LOGGED),
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["seldom"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "billing": {"level": "INFO"},
        "organizations": {"level": "INFO"},
        "celery": {"level": "INFO"},
    },
}
