"""The demo is played once for all tests of this directory, which only look at it."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.builders.demo import played


@pytest.fixture(scope="package", autouse=True)
def output(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """What the command printed; its data are there for all tests of the directory, and gone afterwards."""
    with played(django_db_blocker) as text:
        yield text
