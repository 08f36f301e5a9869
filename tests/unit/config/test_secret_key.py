"""Where the secret key comes from."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.secret_key import find_secret_key


def test_the_given_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "key"

    assert find_secret_key(given="given", may_generate=True, path=path) == "given"
    assert not path.exists()


def test_without_a_key_where_none_may_be_generated_it_says_what_to_set(tmp_path: Path) -> None:
    path = tmp_path / "key"

    with pytest.raises(ImproperlyConfigured, match="Set SECRET_KEY"):
        find_secret_key(given="", may_generate=False, path=path)
    assert not path.exists()


def test_the_generated_key_stays_the_same_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"

    key = find_secret_key(given="", may_generate=True, path=path)

    assert len(key) >= 50
    assert find_secret_key(given="", may_generate=True, path=path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_at_once_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "key"

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: find_secret_key(given="", may_generate=True, path=path), range(16)))

    assert len(keys) == 1
    assert list(tmp_path.iterdir()) == [path]  # no drafts left behind


def test_a_truncated_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("short")

    with pytest.raises(ImproperlyConfigured, match="too short"):
        find_secret_key(given="", may_generate=True, path=path)


def test_a_directory_that_cannot_be_written_asks_for_a_key(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="Set SECRET_KEY"):
        find_secret_key(given="", may_generate=True, path=tmp_path / "missing" / "key")
