"""The invoices of an organization as its people see them: what waits for money, what banks work on, what is over."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.models import Allocation, Invoice
from billing.queries.among import among
from billing.queries.invoice_search import matching
from billing.queries.invoices import due_cents
from billing.queries.payments import unallocated_on_account
from organizations.models import Organization

SETTLED_PER_PAGE = 48
PENDING = (PaymentState.PENDING.value, PaymentState.PAYMENT_HELD.value)
PROCESSING = (PaymentState.PROCESSING.value,)


@dataclass(frozen=True)
class Listed:
    """An invoice, what is left to pay of it (cents), whether that is late, and what corrected it."""

    invoice: Invoice
    due_cents: int
    is_overdue: bool
    credit_notes: list[Invoice] = field(default_factory=list)


@dataclass(frozen=True)
class Year:
    """The settled invoices issued in a year that are on this page."""

    year: int
    invoices: list[Listed]


@dataclass(frozen=True)
class InvoiceList:
    """The three groups (domain page, section 7), latest first. Amounts are cents of the organization's currency.

    `due_cents` leaves out `held_cents`: nobody is to pay what is on hold.
    """

    pending: list[Listed]
    processing: list[Listed]
    years: list[Year]
    page: Page[Invoice]
    due_cents: int
    overdue_cents: int
    held_cents: int
    processing_cents: int
    unallocated_cents: int

    @property
    def is_empty(self) -> bool:
        """Whether there is none, or none that was looked for."""
        return not (self.pending or self.processing or self.years)


def issued_to(organization_id: int) -> QuerySet[Invoice]:
    """What an organization may see: documents that were issued, never a draft."""
    return Invoice.objects.filter(organization=organization_id, document_state=DocumentState.ISSUED.value)


def load_invoice_list(organization_id: int, *, today: date, term: str = "", page: int | str = 1) -> InvoiceList:
    """List the invoices that match a search term, in a number of queries that depends on nothing.

    Settled ones come page by page; whatever waits for money is always there.
    """
    rows = issued_to(organization_id).filter(kind=Invoice.Kind.INVOICE).order_by("-issue_date", "-counter")
    if term:
        rows = rows.filter(matching(term))
    open_rows = list(rows.filter(payment_state__in=PENDING + PROCESSING))
    over = rows.exclude(payment_state__in=PENDING + PROCESSING).select_related("statement")
    settled = Paginator(over, SETTLED_PER_PAGE).get_page(page)
    listed = _with_credit_notes([*open_rows, *settled.object_list], today)
    pending = [each for each in listed if each.invoice.payment_state in PENDING]
    processing = [each for each in listed if each.invoice.payment_state in PROCESSING]
    return InvoiceList(
        pending=pending,
        processing=processing,
        years=_by_year(listed[len(open_rows) :]),
        page=settled,
        due_cents=sum(each.due_cents for each in pending if not _is_held(each)),
        overdue_cents=sum(each.due_cents for each in pending if each.is_overdue),
        held_cents=sum(each.due_cents for each in pending if _is_held(each)),
        processing_cents=sum(each.due_cents for each in processing),
        unallocated_cents=unallocated_on_account(organization_id),
    )


@dataclass(frozen=True)
class Account:
    """What happened to an issued document since: the money that settles it, and the credit notes that correct it."""

    due_cents: int
    allocations: list[Allocation]
    credit_notes: list[Invoice]


def find_issued(organization_id: int, number: str) -> Invoice | None:
    """Find a document of an organization by its number; nobody else's, and no draft."""
    found = issued_to(organization_id).filter(number=number.replace("\0", ""))
    return found.select_related("refers_to", "statement").order_by("pk").first()


def load_account(invoice: Invoice) -> Account:
    """Load what settles a document and what corrects it, in two queries."""
    notes = invoice.credit_notes.filter(document_state=DocumentState.ISSUED.value)
    return Account(
        due_cents=due_cents(invoice),
        allocations=list(invoice.allocations.filter(undone_at=None).select_related("payment").order_by("id")),
        credit_notes=list(notes.order_by("issue_date", "counter")),
    )


def is_overdue(invoice: Invoice, today: date) -> bool:
    """Whether money for it is late; what is on hold or on its way is not."""
    is_pending = invoice.payment_state == PaymentState.PENDING.value
    return is_pending and invoice.due_date is not None and invoice.due_date < today


def _is_held(listed: Listed) -> bool:
    return listed.invoice.payment_state == PaymentState.PAYMENT_HELD.value


def _with_credit_notes(rows: Sequence[Invoice], today: date) -> list[Listed]:
    listed = [Listed(row, due_cents(row), is_overdue(row, today)) for row in rows]
    by_id = {each.invoice.pk: each for each in listed}
    notes = Invoice.objects.filter(among("refers_to", by_id), kind=Invoice.Kind.CREDIT_NOTE)
    for note in notes.filter(document_state=DocumentState.ISSUED.value).order_by("issue_date", "counter"):
        by_id[note.refers_to_id or 0].credit_notes.append(note)
    return listed


def _by_year(listed: Iterable[Listed]) -> list[Year]:
    years: dict[int, Year] = {}
    for each in listed:
        year = each.invoice.issue_date.year if each.invoice.issue_date else each.invoice.consumption_month.year
        years.setdefault(year, Year(year, [])).invoices.append(each)
    return list(years.values())


def numbers_of(organization: Organization, numbers: Collection[str]) -> set[str]:
    """Which of these numbers are those of documents of the organization itself."""
    found = Invoice.objects.filter(organization=organization, number__in=numbers).values_list("number", flat=True)
    return {number for number in found if number}
