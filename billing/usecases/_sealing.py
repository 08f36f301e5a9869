"""Sealing: the last step of issuing, which chains each document to the one before it in its series."""

from collections.abc import Sequence

from django.db import connection

from billing.domain.chain import chained_hash
from billing.models import Invoice, NumberSeries
from billing.queries.sealed_content import sealed_contents
from billing.usecases._bulk import bulk_change


def seal(invoice_ids: Sequence[int], series: NumberSeries) -> None:
    """Hash issued documents and all their parts as they are stored, in the order of their counters.

    For invoices and credit notes alike, in the transaction that issues them, after everything else is written: from
    then on not even the hash can be changed. The caller holds the lock on the series, which moves its `last_hash`.
    Seven queries, however many documents there are.
    """
    if not invoice_ids:
        return
    contents = sealed_contents(invoice_ids)
    hashes: list[tuple[int, str]] = []
    for id_ in invoice_ids:
        series.last_hash = chained_hash(series.last_hash, contents[id_])
        hashes.append((id_, series.last_hash))
    bulk_change(connection, Invoice._meta.db_table, ("id", "content_hash"), hashes)
    series.save(update_fields=("last_hash",))
