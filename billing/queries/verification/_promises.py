"""What a promise is, and the pieces of queries that many of them share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Exists, Model, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.domain.money import format_cents
from billing.models import Invoice


class Broken(NamedTuple):
    """One thing that breaks a promise: which, and how, in a sentence."""

    subject: str
    sentence: str


type Finder = Callable[[], Iterator[Broken]]


@dataclass(frozen=True, slots=True)
class Promise:
    """A sentence that holds for all rows of `population` (called `things`); `find` yields those that break it."""

    sentence: str
    things: str
    population: Callable[[], QuerySet[Any]]
    find: Finder


class Register(list[Promise]):
    """The promises of a module, in the order in which they are written down."""

    def promise(
        self, sentence: str, *, things: str, population: Callable[[], QuerySet[Any]]
    ) -> Callable[[Finder], Finder]:
        """Register the decorated function as the one that finds what breaks a promise."""

        def register(find: Finder) -> Finder:
            self.append(Promise(sentence, things, population, find))
            return find

        return register


# Payment states of an issued invoice that waits for its money.
OPEN = tuple(state.value for state in (PaymentState.PENDING, PaymentState.PROCESSING, PaymentState.PAYMENT_HELD))


def documents() -> QuerySet[Invoice]:
    """Invoices and credit notes, drafts and issued ones; what was discarded promises nothing."""
    return Invoice.objects.exclude(document_state=DocumentState.DISCARDED.value)


def issued() -> QuerySet[Invoice]:
    """Issued invoices and credit notes."""
    return Invoice.objects.filter(document_state=DocumentState.ISSUED.value)


def total(path: str, **conditions: Any) -> Cast:
    """The sum of a related column, 0 when there is nothing to sum."""
    condition = Q(**conditions) if conditions else None
    return Cast(Coalesce(Sum(path, filter=condition), 0), BigIntegerField())


def missing(model: type[Model], column: str) -> Q:
    """The condition that a column without a database constraint names a row that does not exist."""
    return Q(~Exists(model._default_manager.filter(pk=OuterRef(column))), **{f"{column}__isnull": False})


def invoice_name(prefix: str = "") -> tuple[str, ...]:
    """The columns that `name` needs, from the invoice itself or from a row that refers to it by `prefix`."""
    return tuple(f"{prefix}{column}" for column in ("number", "consumption_month", "organization__external_id"))


def name(number: str | None, month: date, organization: str) -> str:
    """A document as people call it."""
    return f"{number or 'draft'} ({organization}, {month:%Y-%m})"


def differ(what: str, stored_cents: int, than: str, computed_cents: int) -> str:
    """The sentence for two amounts that should be equal."""
    return f"{what} is {format_cents(int(stored_cents))}, but {than} {format_cents(int(computed_cents))}."


def found(
    rows: QuerySet[Any], columns: tuple[str, ...], sentence: Callable[..., str], *, prefix: str = ""
) -> Iterator[Broken]:
    """One Broken per row, named after its invoice; the sentence is made of the columns."""
    for number, month, organization, *values in rows.values_list(*invoice_name(prefix), *columns).iterator():
        yield Broken(name(number, month, organization), sentence(*values))
