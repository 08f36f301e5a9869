"""Real processes on databases of their own: what two of them do at once, or what is left of one that was killed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
BATCH_SIZE = 7
_serial = count(1)


class Platform:
    """A database with organizations in it, which processes work on."""

    def __init__(self, url: str) -> None:
        self.url = url

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a process and wait until it is about to run its first command."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.closing.program", str(BATCH_SIZE), *arguments],
            cwd=CHECKOUT,
            env={**os.environ, "DATABASE_URL": self.url, "REDIS_URL": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise AssertionError(process.communicate()[1])
        return process

    def run(self, *arguments: str) -> str:
        """Run commands to their end and return what they printed."""
        return finish(self.start(*arguments))


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a process that must succeed and return what it printed."""
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-4000:]
    return out


class SqlitePlatforms:
    """Copies of one seeded file."""

    def __init__(self, folder: Path, organizations: int) -> None:
        self._folder = folder
        self._seeded = folder / "seeded.sqlite3"
        Platform(f"sqlite:///{self._seeded}").run("seed", str(organizations))

    @contextmanager
    def copy(self) -> Iterator[Platform]:
        """A platform of its own."""
        path = self._folder / f"copy{next(_serial)}.sqlite3"
        shutil.copy(self._seeded, path)
        yield Platform(f"sqlite:///{path}")


class PostgresqlPlatforms:
    """Copies of one seeded database, next to the one that DATABASE_URL names."""

    def __init__(self, parameters: dict[str, Any], organizations: int, *, seed: str = "seed") -> None:
        self._parameters = parameters
        self._prefix = f"closing_{os.getpid()}"
        self._seeded = f"{self._prefix}_seeded"
        self._execute(f'CREATE DATABASE "{self._seeded}"')
        self._platform(self._seeded).run(seed, str(organizations))

    @contextmanager
    def copy(self) -> Iterator[Platform]:
        """A platform of its own, dropped in the end."""
        name = f"{self._prefix}_{next(_serial)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{self._seeded}"')
        try:
            yield self._platform(name)
        finally:
            self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def drop(self) -> None:
        """Remove the seeded database."""
        self._execute(f'DROP DATABASE "{self._seeded}" WITH (FORCE)')

    def _platform(self, name: str) -> Platform:
        given = self._parameters
        secret = f":{given['PASSWORD']}" if given["PASSWORD"] else ""
        return Platform(f"postgres://{given['USER']}{secret}@{given['HOST']}:{given['PORT'] or 5432}/{name}")

    def _execute(self, statement: str) -> None:
        import psycopg  # an extra, absent where everything lives in SQLite

        given = self._parameters
        with psycopg.connect(
            host=given["HOST"],
            port=given["PORT"] or 5432,
            user=given["USER"],
            password=given["PASSWORD"] or None,
            dbname="postgres",
            autocommit=True,
        ) as connection:
            connection.execute(statement)
