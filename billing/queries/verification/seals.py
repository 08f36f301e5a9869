"""The hash chain of issued documents, and the triggers that guard them."""

from collections.abc import Iterator
from itertools import batched

from django.db import connection

from billing.domain.chain import chained_hash
from billing.models import NumberSeries
from billing.models.guards import missing_guards
from billing.queries.sealed_content import sealed_contents
from billing.queries.verification._promises import Broken, Register, invoice_name, issued, name

PROMISES = Register()
DOCUMENTS_PER_QUERY = 1_000


@PROMISES.promise(
    "An issued document is what was issued: its hash fits its content and the document before.",
    things="issued documents",
    population=issued,
)
def seals() -> Iterator[Broken]:
    """Documents from before there were hashes have none: they can only come first in a series."""
    last: dict[tuple[int, str], tuple[str, str]] = {}
    rows = issued().order_by("legal_entity", "kind", "counter", "id")
    columns = rows.values_list("id", "legal_entity_id", "kind", "content_hash", *invoice_name())
    for batch in batched(columns.iterator(), DOCUMENTS_PER_QUERY, strict=False):
        contents = sealed_contents([id_ for id_, *_ in batch])
        for id_, entity, kind, stored, *document in batch:
            before, previous = last.get((entity, kind), ("", ""))
            if stored or previous:
                last[entity, kind] = name(*document), stored or previous
            if previous and not stored:
                yield Broken(name(*document), f"It has no hash, but {before} before it has.")
            elif stored and stored != chained_hash(previous, contents[id_]):
                link = f" or is not chained to {before}" if before else ""
                yield Broken(name(*document), f"It was changed after it was issued{link}: its hash does not fit.")
    for series in NumberSeries.objects.order_by("legal_entity", "kind"):
        before, previous = last.get((series.legal_entity_id, series.kind), ("nothing", ""))
        if series.last_hash != previous:
            yield Broken(f"series {series.kind}", f"It ends with another hash than that of {before}.")


@PROMISES.promise(
    "The database refuses changes of issued documents, credit entries and events.",
    things="series",
    population=NumberSeries.objects.all,
)
def guards() -> Iterator[Broken]:
    for trigger in missing_guards(connection):
        yield Broken(f"trigger {trigger}", "It is missing, switched off or another one: run `manage.py migrate`.")
