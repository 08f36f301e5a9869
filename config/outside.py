"""What leaves the process: where files of documents are kept, and who takes e-mails."""

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

NO_MAIL_SERVER = "config.no_mail_server.EmailBackend"
FILES = "django.core.files.storage.FileSystemStorage"
MAIL_TIMEOUT_SECONDS = 30
IN_REQUEST = "in_request"
"""The same server for a message that a person waits for: it gives up soon."""
IN_REQUEST_TIMEOUT_SECONDS = 5


def document_storage(backend: str, options: dict[str, Any], *, folder: Path) -> dict[str, Any]:
    """The storage of documents for `STORAGES`: the class of that name with its options, else files in a folder.

    Files are for the user that wrote them and its group; they are no part of what a web server serves.
    """
    if backend:
        return {"BACKEND": backend, "OPTIONS": options}
    own: dict[str, Any] = {"location": str(folder), "file_permissions_mode": 0o640, "directory_permissions_mode": 0o750}
    return {"BACKEND": FILES, "OPTIONS": {**own, **options}}


def mail_servers(url: str) -> dict[str, Any]:
    """`MAILERS` of an address such as `smtp+tls://user:password@mail.example.org:587`.

    `filemail:///a/folder` writes e-mails to files. Without an address nothing pretends to have sent anything.
    """
    server = _mail_server(url)
    if "timeout" not in server.get("OPTIONS", {}):
        return {"default": server, IN_REQUEST: server}
    options = server["OPTIONS"] | {"timeout": IN_REQUEST_TIMEOUT_SECONDS}
    return {"default": server, IN_REQUEST: server | {"OPTIONS": options}}


def _mail_server(url: str) -> dict[str, Any]:
    if not url:
        return {"BACKEND": NO_MAIL_SERVER}
    try:
        config: dict[str, Any] = environ.Env.email_url_config(url)
    except (environ.ImproperlyConfigured, ValueError):
        # The error could show the address, which may hold a password.
        raise ImproperlyConfigured(
            "EMAIL_URL is no address of a mail server, such as smtp://mail.example.org:25."
        ) from None
    backend = config["EMAIL_BACKEND"]
    options: dict[str, Any] = {}
    if backend.endswith("filebased.EmailBackend"):
        options = {"file_path": f"/{config['EMAIL_FILE_PATH']}"}
    elif backend.endswith("smtp.EmailBackend"):
        if not config["EMAIL_HOST"]:
            raise ImproperlyConfigured("EMAIL_URL names no host: write smtp://mail.example.org:25 or the like.")
        options = {
            "host": config["EMAIL_HOST"],
            "username": config["EMAIL_HOST_USER"] or "",
            "password": config["EMAIL_HOST_PASSWORD"] or "",
            "use_tls": bool(config.get("EMAIL_USE_TLS")),
            "use_ssl": bool(config.get("EMAIL_USE_SSL")),
            "timeout": MAIL_TIMEOUT_SECONDS,
        }
        if config["EMAIL_PORT"]:
            options["port"] = config["EMAIL_PORT"]
    return {"BACKEND": backend, "OPTIONS": options}
