"""Random sequences of billing, paying, crediting and cancelling, against a ledger that knows no database.

One organization that provisions what it consumed the month before, with 50.00 of free credits and 20 % VAT.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

import pytest
from django.db.models import Sum

from billing.models import CreditGrant, CreditStatement, Invoice, InvoiceLine
from billing.usecases._accounts import UnableToSettle
from billing.usecases.cancel_invoice import cancel_invoice
from organizations.models import Organization
from tests.builders.closing import broken_promises, close, consume, issue, local, make_charge, make_metered_price
from tests.builders.credits import make_grant
from tests.builders.focus import billed_by_document, export_focus, totals_of
from tests.builders.money import credit, receive
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

MONTHS = ("2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10")
START = local("2026-11-20 10:00")
KINDS = ("provision", "regularization", "one_shot")


@dataclass(eq=False)
class Lot:
    """Credits: of a bill that sold them, or free."""

    remaining: int
    pending: int = 0


@dataclass(eq=False)
class Bill:
    """What an invoice of the model says, and what became of it; cents."""

    month: str
    lines: dict[str, int]
    uses: list[tuple[Lot, int]]
    sold: Lot
    statement: tuple[int, ...]
    credited: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    credited_vat: int = 0
    paid: int = 0
    cancelled: bool = False

    @property
    def vat(self) -> int:
        return tax(sum(self.lines.values()))

    @property
    def total(self) -> int:
        return sum(self.lines.values()) + self.vat

    @property
    def credited_total(self) -> int:
        return sum(self.credited.values()) + self.credited_vat

    @property
    def left(self) -> int:
        return self.total - self.paid - self.credited_total

    @property
    def is_over(self) -> bool:
        return self.cancelled or (self.total > 0 and self.credited_total == self.total)

    def settle(self) -> None:
        """Fully paid, its credits are usable; else they wait."""
        if self.left == 0 and not self.is_over:
            self.sold.remaining, self.sold.pending = self.sold.remaining + self.sold.pending, 0
        elif not self.is_over:
            self.sold.remaining, self.sold.pending = 0, self.sold.remaining + self.sold.pending


def tax(base: int) -> int:
    """20 %, half up."""
    return (base * 2 + 5) // 10


@dataclass(eq=False)
class Ledger:
    """The account: bills in order, the last of each month is the one that counts."""

    free: Lot
    bills: list[Bill] = field(default_factory=list)

    @property
    def live(self) -> list[Bill]:
        return [bill for bill in self.bills if not bill.cancelled]

    def bill(self, month: str, used: int, charged: int) -> Bill:
        a, b = self.free.remaining, sum(bill.sold.remaining for bill in self.live)
        g = sum(bill.sold.pending for bill in self.live)
        due, uses = used, []
        for lot in (self.free, *(bill.sold for bill in self.live)):
            cents = min(due, lot.remaining)
            lot.remaining, due = lot.remaining - cents, due - cents
            if cents:
                uses.append((lot, cents))
        c = -min(used, a)
        e = -min(used + c, b)
        h = max(0, -(a + b + c + e - used + g))
        lines = {"provision": h, "regularization": used + c + e, "one_shot": charged}
        bill = Bill(month, lines, uses, Lot(0, h), (a, b, c, e, -used, g, h))
        self.bills.append(bill)
        return bill

    def pay(self, bill: Bill, cents: int) -> None:
        bill.paid += 0 if bill.is_over else min(cents, bill.left)
        bill.settle()

    def credit(self, bill: Bill, amounts: dict[str, int]) -> bool:
        """Whether it is allowed; then it is done."""
        if any(cents > bill.lines[kind] - bill.credited[kind] for kind, cents in amounts.items()):
            return False
        provision = amounts.get("provision", 0)
        if provision > bill.sold.remaining + bill.sold.pending or not sum(amounts.values()):
            return False
        base = sum(bill.lines.values()) - sum(bill.credited.values())
        is_rest = sum(amounts.values()) == base
        left_vat = bill.vat - bill.credited_vat
        bill.credited_vat += left_vat if is_rest else min(tax(sum(amounts.values())), left_vat)
        for kind, cents in amounts.items():
            bill.credited[kind] += cents
        pending = min(provision, bill.sold.pending)
        bill.sold.pending, bill.sold.remaining = bill.sold.pending - pending, bill.sold.remaining - provision + pending
        bill.paid = min(bill.paid, bill.total - bill.credited_total)
        bill.settle()
        return True

    def cancel(self) -> Bill:
        """The latest one: all that is left is credited, what it used goes back."""
        bill = self.live[-1]
        self.credit(bill, {kind: bill.lines[kind] - bill.credited[kind] for kind in KINDS})
        bill.cancelled = True
        for lot, cents in bill.uses:
            lot.remaining += cents
        for other in self.live:
            other.settle()
        return bill


class Account:
    """The organization in the database, told the same as the ledger."""

    def __init__(self, chance: Random) -> None:
        make_metered_price()
        self.chance = chance
        self.atlas: Organization = make_organization(external_id="orga_atlas", opened_on=date(2026, 1, 1))
        make_grant(organization=self.atlas, type="free", amount_cents=5_000)
        self.ledger = Ledger(Lot(5_000))
        self.used: dict[str, int] = {}
        self.charged: dict[str, int] = {}
        self.invoices: list[Invoice] = []
        self.now: datetime = START

    def bill_next(self) -> None:
        billed = {bill.month for bill in self.ledger.live}
        month = next((month for month in MONTHS if month not in billed), None)
        if month is None:
            return
        if month not in self.used:
            self.used[month] = self.chance.randint(1, 15_000)
            self.charged[month] = self.chance.choice([0, self.chance.randint(1, 9_999)])
            consume(self.atlas, quantity=self.used[month], on=f"{month}-03")
            if self.charged[month]:
                make_charge(
                    organization=self.atlas, day=date.fromisoformat(f"{month}-10"), unit_cents=self.charged[month]
                )
        close(month, at=self.now)
        assert issue(month, at=self.now).not_issued == []
        self.ledger.bill(month, self.used[month], self.charged[month])
        self.invoices.append(Invoice.objects.filter(kind="invoice").latest("pk"))

    def pay(self) -> None:
        index = self.chance.randrange(len(self.invoices))
        bill = self.ledger.bills[index]
        cents = bill.left if bill.left and self.chance.random() < 0.6 else self.chance.randint(1, 20_000)
        if bill.is_over:
            return
        receive(self.atlas, cents, for_invoice=self.invoices[index], at=self.now)
        self.ledger.pay(bill, cents)

    def credit(self) -> None:
        index = self.chance.randrange(len(self.invoices))
        bill = self.ledger.bills[index]
        kinds = [kind for kind in KINDS if bill.lines[kind]]
        amounts = {
            kind: self.chance.choice([left, self.chance.randint(0, left + 1)])
            for kind in kinds
            if (left := bill.lines[kind] - bill.credited[kind]) and self.chance.random() < 0.7
        }
        try:
            credit(self.invoices[index], amounts, at=self.now)
            done = True
        except UnableToSettle:
            done = False
        assert self.ledger.credit(bill, amounts) is done, (bill, amounts)

    def cancel(self) -> None:
        bill = self.ledger.cancel()
        invoice = self.invoices[self.ledger.bills.index(bill)]
        cancel_invoice(invoice_id=invoice.pk, reason="Wrong address", actor=None, at=self.now)

    def step(self) -> None:
        self.now += timedelta(minutes=7)
        actions = [self.bill_next] * 3
        if self.invoices:
            actions += [self.pay] * 4 + [self.credit] * 2
        if self.ledger.live:
            actions.append(self.cancel)
        self.chance.choice(actions)()

    def check(self) -> None:
        grants = {grant.sold_by_id: grant for grant in CreditGrant.objects.all()}
        assert grants[None].remaining_cents == self.ledger.free.remaining
        for invoice, bill in zip(self.invoices, self.ledger.bills, strict=True):
            invoice.refresh_from_db()
            assert (invoice.total_cents, invoice.paid_cents, invoice.credited_cents, invoice.released) == (
                *(bill.total, bill.paid, bill.credited_total),
                bill.cancelled,
            )
            grant = grants.get(invoice.pk)
            lot = (grant.remaining_cents, grant.pending_cents) if grant else (0, 0)
            assert lot == (bill.sold.remaining, bill.sold.pending)
            row = CreditStatement.objects.get(invoice=invoice)
            assert bill.statement == (
                *(row.free_balance_cents, row.prepaid_balance_cents, row.used_free_cents, row.used_prepaid_cents),
                *(row.estimate_cents, row.pending_cents, row.refill_cents),
            )

    def check_life(self) -> None:
        """Subtotals = U - free credits used + D + prepaid credits that are left, less what else was credited."""
        issued = Invoice.objects.filter(document_state="issued")
        billed, credited = (
            issued.filter(kind=kind).aggregate(cents=Sum("subtotal_cents", default=0))["cents"]
            for kind in ("invoice", "credit_note")
        )
        live = issued.filter(kind="invoice", released=False)
        consumed = live.aggregate(
            fees=Sum("statement__fees_cents", default=0), direct=Sum("statement__direct_cents", default=0)
        )
        others = InvoiceLine.objects.filter(
            invoice__kind="credit_note", invoice__document_state="issued", invoice__refers_to__released=False
        ).exclude(kind="provision")
        gone = others.aggregate(cents=Sum("net_cents", default=0))["cents"]
        left = sum(bill.sold.remaining + bill.sold.pending for bill in self.ledger.live)
        free_used = 5_000 - self.ledger.free.remaining
        assert billed - credited == consumed["fees"] - free_used + consumed["direct"] + left - gone


@pytest.mark.parametrize("seed", [0, *[pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 8)]])
def test_every_step_leads_where_the_ledger_says(seed: int) -> None:
    account = Account(Random(seed))
    for _ in range(25):
        account.step()
        account.check()
    account.check_life()
    assert broken_promises() == []
    for month in MONTHS:  # credit notes and what they correct are datasets of the same totals
        assert billed_by_document(export_focus(month)) == totals_of(month)
