"""Settings of the tests: the project's, on DATABASE_URL and REDIS_URL when given, over plain HTTP and quick."""

import os
from urllib.parse import urlsplit

os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "0123456789" * 5)

from config.settings import *  # noqa: F403
from config.settings import CACHES, STORAGES

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
REQUIRE_STAFF_MFA = False  # tests of the second factor turn it on
ACCOUNT_RATE_LIMITS = False  # and tests of the limits these
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    # Processes that work on the same documents share a folder.
    "documents": (
        STORAGES["documents"]
        if "DOCUMENTS_DIR" in os.environ
        else {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    ),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MAILERS = {name: {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"} for name in ("default", "in_request")}
DEFAULT_FROM_EMAIL = "invoices@example.com"
SITE_URL = "https://billing.example.org"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
# Parallel test processes share one Redis, where clearing a cache empties its whole database: each has one of its own.
if "LOCATION" in CACHES["default"]:
    redis = urlsplit(CACHES["default"]["LOCATION"])
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    CACHES["default"]["LOCATION"] = redis._replace(path=f"/{(int(redis.path.strip('/') or 0) + worker) % 16}").geturl()

CELERY_BROKER_URL = "memory://localhost/"
CELERY_TASK_ALWAYS_EAGER = CELERY_TASK_EAGER_PROPAGATES = True
