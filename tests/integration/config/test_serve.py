"""`serve` as a person runs it: a process that answers, works, and stops when asked."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
TASK = "billing.tasks.ensure_due_month_is_closed"

pytestmark = pytest.mark.long


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A machine of its own: no variable of ours but a database file of the test."""
    ours = {"REDIS_URL", "DEBUG", "DJANGO_SETTINGS_MODULE"}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return inherited | {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "SECRET_KEY": "k" * 60}


def manage(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=120)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def eventually(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_serves_works_and_stops(environment: dict[str, str], tmp_path: Path) -> None:
    assert manage("migrate", "-v0", environment=environment).returncode == 0
    port, log = free_port(), tmp_path / "serve.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=CHECKOUT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        assert eventually(lambda: answers(f"http://127.0.0.1:{port}/readyz")), log.read_text()
        assert answers(f"http://127.0.0.1:{port}/admin/login/")  # over plain HTTP: DEBUG is on for this command
        assert eventually(lambda: f"{TASK}[" in log.read_text()), log.read_text()

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=15) == 0
    finally:
        process.kill()


def test_a_database_that_was_never_migrated_is_refused(environment: dict[str, str]) -> None:
    result = manage("serve", "--port", str(free_port()), environment=environment)

    assert result.returncode == 1
    assert "run `manage.py migrate` first" in result.stderr


def test_a_taken_port_is_named(environment: dict[str, str]) -> None:
    assert manage("migrate", "-v0", environment=environment).returncode == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        result = manage("serve", "--port", str(port), environment=environment)

    assert result.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in result.stderr
