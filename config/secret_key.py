"""Where the secret key comes from."""

import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def find_secret_key(*, given: str, may_generate: bool, path: Path) -> str:
    """The given key; else, where that is allowed, this machine's own one, generated once and kept in `path`.

    Raises ImproperlyConfigured when no key is given and none may be generated.
    """
    if given:
        return given
    if not may_generate:
        raise ImproperlyConfigured(
            "Set SECRET_KEY: it is required unless DEBUG is on or the database is SQLite. A good one: "
            "python -c 'import secrets; print(secrets.token_urlsafe(64))'"
        )
    try:
        return _read_or_create(path)
    except OSError as error:
        raise ImproperlyConfigured(f"Set SECRET_KEY, or make {path} readable and writable ({error}).") from error


def _read_or_create(path: Path) -> str:
    if not path.exists():
        _create(path)
    key = path.read_text(encoding="ascii").strip()
    if len(key) < 50:
        raise ImproperlyConfigured(f"The secret key in {path} is too short: delete the file, or set SECRET_KEY.")
    return key


def _create(path: Path) -> None:
    """Several processes may come here at once: each writes a file of its own, and the first to link it wins."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64))
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
