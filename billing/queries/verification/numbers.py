"""Numbers of issued documents: gapless, in date order, never reused."""

from collections.abc import Iterator

from django.db.models import F, Max, OuterRef, Q, Subquery

from billing.models import Invoice, NumberSeries
from billing.queries.verification._promises import Broken, Register, issued

PROMISES = Register()


@PROMISES.promise("Numbers of a series are gapless and in date order.", things="issued documents", population=issued)
def sequences() -> Iterator[Broken]:
    rows = issued().order_by("legal_entity", "kind", "counter", "id")
    series, last, last_date = None, 0, None
    for entity, kind, counter, day, number in rows.values_list(
        "legal_entity_id", "kind", "counter", "issue_date", "number"
    ).iterator():
        if series != (entity, kind):
            series, last, last_date = (entity, kind), 0, None
        subject = f"{kind} {number}"
        if counter is None or day is None:
            yield Broken(subject, "It is issued without a number or a date.")
            continue
        if counter != last + 1:
            yield Broken(subject, f"Its counter is {counter}, the one before is {last}.")
        if last_date is not None and day < last_date:
            yield Broken(subject, f"It is dated {day}, the number before {last_date}.")
        last, last_date = counter, day


@PROMISES.promise(
    "A number is used once, and only by issued documents.", things="documents", population=Invoice.objects.all
)
def uniqueness() -> Iterator[Broken]:
    twice = Q(number=F("previous_number"))
    before = Invoice.objects.filter(
        legal_entity=OuterRef("legal_entity"), number=OuterRef("number"), pk__lt=OuterRef("pk")
    )
    numbered = Invoice.objects.filter(number__isnull=False)
    rows = numbered.annotate(previous_number=Subquery(before.values("number")[:1])).filter(
        twice | ~Q(document_state="issued")
    )
    for number, state in rows.values_list("number", "document_state").iterator():
        yield Broken(f"number {number}", f"It is on more than one document, or on one that is {state}.")


@PROMISES.promise(
    "A series remembers the last number and date taken.", things="series", population=NumberSeries.objects.all
)
def counters() -> Iterator[Broken]:
    taken = issued().values_list("legal_entity_id", "kind").annotate(Max("counter"), Max("issue_date"))
    known = {(row.legal_entity_id, row.kind): row for row in NumberSeries.objects.all()}
    last_taken = {(entity, kind): (counter, day) for entity, kind, counter, day in taken}
    for key in last_taken.keys() - known.keys():
        yield Broken(f"series {key[1]}", "Numbers were taken from it, but it does not exist.")
    for key, series in known.items():
        counter, day = last_taken.get(key, (0, None))
        if (series.last_counter, series.last_date) != (counter, day):
            yield Broken(
                f"series {series.kind}",
                f"It remembers {series.last_counter} of {series.last_date}, the last taken is {counter} of {day}.",
            )
