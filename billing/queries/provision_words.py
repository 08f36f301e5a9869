"""Why there is a provision, told to a customer with the figures of its own last invoice."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Sum
from django.utils.translation import gettext as _

from billing import formatting
from billing.domain.statement import CreditStatement
from billing.models import CreditStatement as StatementRow
from billing.models import Invoice, InvoiceLine
from billing.queries.invoice_pages import statement_of
from billing.queries.months import month_of
from organizations.models import Organization


@dataclass(frozen=True)
class Step:
    """A row of the reckoning; `letters` are those of the statement on the invoice."""

    words: str
    cents: int
    letters: str = ""
    is_result: bool = False


@dataclass(frozen=True)
class Provision:
    """How a provision came about: the steps before the last sum to it, unless something else was agreed."""

    invoice_id: int
    number: str
    issue_date: date
    steps: tuple[Step, ...]
    conclusion: str


def load_provision(organization: Organization) -> Provision | None:
    """Explain the provision of the last issued invoice; None before there is one. Two queries."""
    row = (
        StatementRow.objects.filter(
            invoice__organization=organization,
            invoice__kind=Invoice.Kind.INVOICE,
            invoice__document_state="issued",
            invoice__released=False,
        )
        .select_related("invoice")
        .order_by("-invoice__consumption_month")
        .first()
    )
    if row is None or row.invoice.number is None or row.invoice.issue_date is None:
        return None
    statement = statement_of(row)
    month = row.invoice.consumption_month
    return Provision(
        row.invoice_id,
        row.invoice.number,
        row.invoice.issue_date,
        tuple(provision_steps(statement, month=month)),
        _conclusion(statement, month, row.invoice.currency, credited_cents=_credited_cents(row.invoice)),
    )


def _credited_cents(invoice: Invoice) -> int:
    """How much of the provision credit notes took back."""
    credited = InvoiceLine.objects.filter(
        kind=InvoiceLine.Kind.PROVISION,
        invoice__refers_to=invoice,
        invoice__kind=Invoice.Kind.CREDIT_NOTE,
        invoice__document_state="issued",
    )
    cents: int = credited.aggregate(cents=Sum("net_cents", default=0))["cents"]
    return cents


def provision_steps(statement: CreditStatement, *, month: date) -> list[Step]:
    """The expected consumption, less what is left and what is on its way, is what has to be provided."""
    period, next_period = _periods(month)
    left_cents = statement.closing_cents - statement.refill_cents
    steps = [
        Step(
            _("%(period)s will probably cost, going by the months before") % {"period": next_period},
            -statement.estimate_cents,
            "−f",
        ),
        Step(
            _("less the credits that %(period)s has left you") % {"period": period},
            -left_cents,
            "−(A + c + d + e)",
        ),
    ]
    if statement.pending_cents:
        steps.append(Step(_("less the credits of invoices that you are still to pay"), -statement.pending_cents, "−g"))
    missing_cents = missing_of(statement)
    if missing_cents < 0:
        steps.append(Step(_("more than enough: what is too much stays on your account"), -missing_cents))
    steps.append(Step(_("the provision of this invoice"), statement.refill_cents, "h", is_result=True))
    return steps


def missing_of(statement: CreditStatement) -> int:
    """What the estimate asks for beyond what is there, in cents; negative when there is more."""
    left_cents = statement.closing_cents - statement.refill_cents
    return -(left_cents + statement.estimate_cents + statement.pending_cents)


def is_agreed(statement: CreditStatement) -> bool:
    """Whether the provision is another amount than the one that follows from the estimate."""
    return statement.refill_cents != max(0, missing_of(statement))


def _conclusion(statement: CreditStatement, month: date, currency: str, *, credited_cents: int) -> str:
    _period, next_period = _periods(month)
    amount = formatting.money_in_words(statement.refill_cents, currency)
    if credited_cents:
        taken_back = formatting.money_in_words(credited_cents, currency)
        if credited_cents >= statement.refill_cents:
            return _("A credit note took this provision back: you do not pay for it, and it gives you no credits.")
        return _("A credit note took %(taken_back)s of the %(amount)s back: the rest stays yours.") % {
            "taken_back": taken_back,
            "amount": amount,
        }
    if is_agreed(statement):
        return _("The amount of %(amount)s was agreed with you, or set by our billing team, instead of this sum.") % {
            "amount": amount
        }
    if not statement.refill_cents:
        return _("There was no provision to pay.")
    return _(
        "With %(amount)s you have what %(period)s will probably use. If it uses less, the rest is yours and lowers the "
        "next provision; if it uses more, the next invoice bills the difference as a regularization."
    ) % {"amount": amount, "period": next_period}


def _periods(month: date) -> tuple[str, str]:
    return formatting.format_month(month), formatting.format_month(month_of(month).next.first_day)
