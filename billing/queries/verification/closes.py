"""Month closes: one outcome per organization, and the invoices it names."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from billing.domain.lifecycle import DocumentState
from billing.models import CloseOutcome, Invoice
from billing.queries.verification._promises import Broken, Register, found, issued, missing
from organizations.models import Organization

PROMISES = Register()
Kind = CloseOutcome.Kind


def outcomes() -> QuerySet[CloseOutcome]:
    """What every close made of every organization."""
    return CloseOutcome.objects.all()


def _broken(rows: QuerySet[CloseOutcome], sentence: str) -> Iterator[Broken]:
    for organization, month in rows.values_list("organization__external_id", "month").iterator():
        yield Broken(f"outcome of {organization}, {month:%Y-%m}", sentence)


@PROMISES.promise(
    "An outcome belongs to the close of its month and names its invoice or its reason.",
    things="outcomes",
    population=outcomes,
)
def content() -> Iterator[Broken]:
    yield from _broken(outcomes().filter(~Q(month=F("close__month"))), "Its close is of another month.")
    yield from _broken(
        outcomes().filter(kind__in=(Kind.NIL, Kind.BLOCKED), reason_code=""), "It does not say why there is no invoice."
    )
    live = (DocumentState.DRAFT.value, DocumentState.ISSUED.value)
    fits = Q(
        invoice__kind=Invoice.Kind.INVOICE,
        invoice__document_state__in=live,
        invoice__organization=F("payer"),
        invoice__consumption_month=F("month"),
    )
    yield from _broken(
        outcomes().filter(Q(kind=Kind.INVOICE) & ~fits),
        "Its invoice is discarded, or one of another month or organization.",
    )


@PROMISES.promise(
    "An issued invoice that is not replaced is the outcome of its organization and month.",
    things="issued documents",
    population=issued,
)
def invoices() -> Iterator[Broken]:
    named = Exists(CloseOutcome.objects.filter(invoice=OuterRef("pk"), kind=Kind.INVOICE))
    rows = issued().filter(~named, kind=Invoice.Kind.INVOICE, released=False)
    yield from found(rows, (), lambda: "It is the outcome of no close.")


@PROMISES.promise(
    "A payer pays for itself; a sub-organization is on the invoice of a payer.", things="outcomes", population=outcomes
)
def payers() -> Iterator[Broken]:
    yield from _broken(outcomes().filter(missing(Organization, "payer_id")), "Its payer does not exist.")
    own = Q(payer=F("organization"))
    yield from _broken(
        outcomes().filter((Q(kind=Kind.ON_PARENT) & own) | (~Q(kind=Kind.ON_PARENT) & ~own)),
        "Its payer does not fit: only a sub-organization is billed on the invoice of another.",
    )
    of_payer = CloseOutcome.objects.filter(organization=OuterRef("payer"), month=OuterRef("month")).exclude(
        kind=Kind.ON_PARENT
    )
    yield from _broken(
        outcomes().filter(~Exists(of_payer), kind=Kind.ON_PARENT), "Its payer has no outcome that month."
    )


@PROMISES.promise(
    "Months are issued in their order: none while an earlier one is a draft or blocked.",
    things="issued documents",
    population=issued,
)
def order() -> Iterator[Broken]:
    earlier = CloseOutcome.objects.filter(
        Q(kind=Kind.BLOCKED) | Q(kind=Kind.INVOICE, invoice__document_state=DocumentState.DRAFT.value),
        organization=OuterRef("organization"),
        month__lt=OuterRef("consumption_month"),
    )
    rows = issued().filter(Exists(earlier), kind=Invoice.Kind.INVOICE, released=False)
    yield from found(rows, (), lambda: "An earlier month of its organization is not settled.")


@PROMISES.promise(
    "A sub-organization has no sub-organizations, and its payer's currency.",
    things="organizations",
    population=Organization.objects.all,
)
def parents() -> Iterator[Broken]:
    wrong = Q(parent__parent__isnull=False) | ~Q(parent__currency=F("currency"))
    rows = Organization.objects.filter(wrong, parent__isnull=False)
    for external_id, parent in rows.values_list("external_id", "parent__external_id").iterator():
        yield Broken(external_id, f"It cannot be billed on the invoice of {parent}.")
