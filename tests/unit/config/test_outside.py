"""EMAIL_URL and DOCUMENTS_STORAGE as settings understand them."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage

from billing.usecases.deliver_mail import Unreachable, deliver_mail
from config.outside import document_storage, mail_servers


def test_an_address_of_a_server_with_encryption_and_a_password() -> None:
    server = mail_servers("smtp+tls://us%40er:p%3Ass@mail.example.org:587")["default"]

    assert server["BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert server["OPTIONS"] == {
        "host": "mail.example.org",
        "port": 587,
        "username": "us@er",
        "password": "p:ss",
        "use_tls": True,
        "use_ssl": False,
        "timeout": 30,
    }
    assert mail_servers("smtp+ssl://mail.example.org")["default"]["OPTIONS"]["use_ssl"]


def test_a_person_does_not_wait_for_a_server_that_is_down() -> None:
    servers = mail_servers("smtp://mail.example.org")

    assert servers["in_request"]["OPTIONS"] == servers["default"]["OPTIONS"] | {"timeout": 5}


def test_files_instead_of_a_server() -> None:
    assert mail_servers("filemail:///a/folder")["default"]["OPTIONS"] == {"file_path": "/a/folder"}


def test_no_address_is_no_server() -> None:
    none = {"BACKEND": "config.no_mail_server.EmailBackend"}

    assert mail_servers("") == {"default": none, "in_request": none}


@pytest.mark.parametrize("url", ["gopher://me:secret@x", "smtp://me:secret@x:port", "smtp:///x", "secret"])
def test_what_is_no_address_is_said_without_repeating_it(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL") as refused:
        mail_servers(url)
    assert "secret" not in str(refused.value)


def test_a_server_that_is_not_there_is_unreachable(settings: Any) -> None:
    settings.MAILERS = mail_servers("smtp://127.0.0.1:1")

    with pytest.raises(Unreachable, match="refused"):
        deliver_mail(EmailMessage("subject", "body", "a@example.org", ["b@example.org"]))


def test_documents_are_files_that_nobody_else_reads() -> None:
    storage = document_storage("", {}, folder=Path("/srv/documents"))

    assert storage["OPTIONS"]["location"] == "/srv/documents"
    assert storage["OPTIONS"]["file_permissions_mode"] == 0o640


def test_documents_may_be_elsewhere() -> None:
    storage = document_storage("storages.backends.s3.S3Storage", {"bucket_name": "invoices"}, folder=Path("unused"))

    assert storage == {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"bucket_name": "invoices"}}
