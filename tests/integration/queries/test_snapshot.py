"""Several queries, one moment."""

import pytest
from django.db import InternalError, connection, transaction

from billing.models import Meter
from billing.queries.snapshot import read_snapshot
from tests.builders.usage import make_meter

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_reads_and_leaves_the_connection_as_it_was() -> None:
    make_meter(code="apps.S")

    with read_snapshot():
        assert Meter.objects.filter(code="apps.S").exists()

    assert not connection.in_atomic_block
    with transaction.atomic():  # which could not begin inside a transaction that was left open
        make_meter(code="apps.M")
    assert Meter.objects.count() == 2


def test_ends_with_the_error_of_whoever_reads() -> None:
    with pytest.raises(ZeroDivisionError), read_snapshot():
        _ = 1 / 0

    make_meter()
    assert Meter.objects.count() == 1


def test_inside_a_transaction_it_is_that_transaction() -> None:
    with transaction.atomic():
        make_meter()
        with read_snapshot():
            assert Meter.objects.count() == 1
    assert Meter.objects.count() == 1


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite cannot forbid it")
def test_refuses_to_write() -> None:
    with pytest.raises(InternalError, match="read-only"), read_snapshot():
        make_meter()
