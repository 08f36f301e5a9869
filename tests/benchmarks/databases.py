"""A database for one benchmark, created for it and dropped after it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit


@contextmanager
def fresh_database(url: str | None, *, keep: bool) -> Iterator[str]:
    """Give the URL of an empty database: as asked, or a temporary SQLite file. What exists already is left alone."""
    if url is None:
        with TemporaryDirectory(prefix="benchmark-", delete=not keep) as directory:
            yield _announced(f"sqlite:///{directory}/benchmark.sqlite3", keep)
    elif url.startswith("sqlite:"):
        path = Path(url.removeprefix("sqlite:///"))
        if path.exists():
            sys.exit(f"{path} exists already: name a file that does not.")
        yield _announced(url, keep)
        if not keep:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
    else:
        with _postgresql_database(url, keep=keep) as created:
            yield _announced(created, keep)


@contextmanager
def _postgresql_database(url: str, *, keep: bool) -> Iterator[str]:
    import psycopg  # an extra, not needed for SQLite
    from psycopg import sql
    from psycopg.conninfo import make_conninfo

    wanted = urlsplit(url).path.removeprefix("/") or "benchmark"
    server = make_conninfo(url, dbname="postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        taken = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        name = next(name for n in count(1) if (name := wanted if n == 1 else f"{wanted}_{n}") not in taken)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            if not keep:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _announced(url: str, keep: bool) -> str:
    sys.stdout.write(f"database: {url}{' (kept)' if keep else ''}\n")
    return url
