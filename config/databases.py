"""DATABASE_URL to Django's settings: SQLite tuned for several writers, PostgreSQL with a connection pool."""

import os
from typing import Any

import environ

SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"

SQLITE_OPTIONS = {
    # Take the write lock at BEGIN and wait for it: upgrading a read lock later would fail at once.
    "transaction_mode": "IMMEDIATE",
    "timeout": 60,  # seconds
    # Readers do not block the writer; a power cut may lose the last commits but never the file.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
POOL_OPTIONS = {"min_size": 1, "max_size": 10, "timeout": 30}


def database_settings(url: str) -> dict[str, Any]:
    """Settings of the database that `url` names; options in its query string win over ours."""
    config: dict[str, Any] = environ.Env.db_url_config(url)
    engine = config["ENGINE"]
    ours: dict[str, Any] = {}
    if engine == SQLITE:
        ours = SQLITE_OPTIONS
    elif engine == POSTGRESQL:
        ours = {"pool": POOL_OPTIONS}
    return {**config, "OPTIONS": {**ours, **config.get("OPTIONS", {})}}


_inherited: list[object] = []


def forget_inherited_connections() -> None:
    """In a forked child: open connections of its own instead of sharing the parent's sockets.

    What was inherited is kept unused, because disposing of a pool whose threads stayed in the parent can hang.
    """
    from django.db import connections

    for alias in connections:
        if alias not in {wrapper.alias for wrapper in connections.all(initialized_only=True)}:
            continue
        wrapper = connections[alias]
        pools = getattr(wrapper, "_connection_pools", None)
        if pools is None:
            continue
        _inherited.extend([wrapper.connection, *pools.values()])
        pools.clear()
        del connections[alias]


def forget_connections_after_fork() -> None:
    """Make every forked child of this process call forget_inherited_connections()."""
    os.register_at_fork(after_in_child=forget_inherited_connections)
