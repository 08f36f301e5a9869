"""Workers on PostgreSQL that render and send the same documents: each once, also when one of them is killed."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.integration.closing.processes import Platform, PostgresqlPlatforms, finish

pytestmark = pytest.mark.long

DOCUMENTS = 60
WORKERS = 3
ENOUGH = 25
AFTER_THE_LEASE = "16"


@pytest.fixture(scope="module")
def platforms() -> Iterator[PostgresqlPlatforms]:
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("postgresql"):
        pytest.skip("needs PostgreSQL: set DATABASE_URL")
    platforms = PostgresqlPlatforms(database, DOCUMENTS, seed="issued")
    yield platforms
    platforms.drop()


@pytest.fixture
def platform(platforms: PostgresqlPlatforms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A platform and a folder for its documents."""
    monkeypatch.setenv("DOCUMENTS_DIR", str(tmp_path / "documents"))
    with platforms.copy() as platform:
        yield platform


def work_together(platform: Platform, command: str, notes: Path) -> list[int]:
    """Start workers on the same; how much each of them did."""
    workers = [platform.start(command, str(notes)) for _ in range(WORKERS)]
    return [int(finish(worker)) for worker in workers]


def kill_in_the_middle(platform: Platform, command: str, notes: Path) -> None:
    worker = platform.start(command, str(notes))
    while not notes.exists() or len(notes.read_text().splitlines()) < ENOUGH:
        time.sleep(0.005)
        assert worker.poll() is None
    worker.send_signal(signal.SIGKILL)
    worker.communicate()


def verify(platform: Platform) -> list[str]:
    return platform.run("verify").splitlines()


def test_workers_share_the_documents_and_the_e_mails(platform: Platform, tmp_path: Path) -> None:
    rendered, sent = tmp_path / "rendered", tmp_path / "sent"

    assert sum(work_together(platform, "render", rendered)) == DOCUMENTS
    assert len(rendered.read_text().splitlines()) == len(set(rendered.read_text().splitlines())) == DOCUMENTS
    assert sum(work_together(platform, "send", sent)) == DOCUMENTS
    assert len(sent.read_text().splitlines()) == len(set(sent.read_text().splitlines())) == DOCUMENTS
    assert f"ok      An e-mail carries an issued document of its organization. ({DOCUMENTS} e-mails)" in verify(
        platform
    )


def test_workers_share_the_messages_to_webhooks(platform: Platform, tmp_path: Path) -> None:
    notes = tmp_path / "announced"
    assert sum(work_together(platform, "announce", notes)) == DOCUMENTS
    assert len(notes.read_text().splitlines()) == len(set(notes.read_text().splitlines())) == DOCUMENTS


def test_a_message_whose_worker_is_killed_is_sent_again(platform: Platform, tmp_path: Path) -> None:
    notes = tmp_path / "announced"
    kill_in_the_middle(platform, "announce", notes)
    platform.run("announce", str(notes))
    platform.run("announce", str(notes), AFTER_THE_LEASE)
    sent = notes.read_text().splitlines()
    assert len(set(sent)) == DOCUMENTS
    assert DOCUMENTS <= len(sent) <= DOCUMENTS + 1


def test_what_a_killed_worker_left_is_taken_up_by_the_next(platform: Platform, tmp_path: Path) -> None:
    notes = tmp_path / "rendered"
    kill_in_the_middle(platform, "render", notes)

    (done_meanwhile,) = (int(line) for line in platform.run("render", str(notes)).split()[-1:])
    (done_later,) = (int(line) for line in platform.run("render", str(notes), AFTER_THE_LEASE).split()[-1:])

    assert 0 < done_later < DOCUMENTS
    assert done_meanwhile + done_later < DOCUMENTS  # the killed one had stored a chunk
    assert (
        "ok      The files of a stored document are there and are what was stored."
        f" ({DOCUMENTS} stored documents)" in verify(platform)
    )


def test_a_worker_killed_while_sending_never_leads_to_a_second_e_mail(platform: Platform, tmp_path: Path) -> None:
    work_together(platform, "render", tmp_path / "rendered")
    notes = tmp_path / "sent"
    kill_in_the_middle(platform, "send", notes)

    platform.run("send", str(notes))
    platform.run("send", str(notes), AFTER_THE_LEASE)

    sent = notes.read_text().splitlines()
    # The one that was being sent is left to people: it had been handed over, or had not.
    assert len(sent) == len(set(sent))
    assert DOCUMENTS - 1 <= len(sent) <= DOCUMENTS
