"""Money and credits of one organization in plain Python: facts only, every state is derived from them.

Independent of the product: nothing is imported, and nothing remembers a state that could be computed.
"""

from dataclasses import dataclass, field
from itertools import count


class Refused(Exception):
    """This cannot be done; nothing changed."""


@dataclass
class ModelInvoice:
    """An issued invoice and the credits that it sold, in cents."""

    total: int
    sold: int
    used: int = 0
    credited: int = 0
    written_off: bool = False


@dataclass
class ModelPayment:
    """Money received, in cents."""

    amount: int
    refunded: int = 0


@dataclass
class Part:
    """What a payment settles of an invoice; `age` grows with time."""

    payment: int
    invoice: int
    cents: int
    age: int


@dataclass
class Model:
    """One organization's account."""

    invoices: list[ModelInvoice] = field(default_factory=list)
    payments: list[ModelPayment] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    clock: "count[int]" = field(default_factory=count)

    # --- what follows from the facts

    def paid(self, invoice: int) -> int:
        return sum(part.cents for part in self.parts if part.invoice == invoice)

    def left(self, invoice: int) -> int:
        row = self.invoices[invoice]
        return row.total - self.paid(invoice) - row.credited

    def state(self, invoice: int) -> str:
        if self.left(invoice) == 0:
            return "paid"
        return "wont_pay" if self.invoices[invoice].written_off else "pending"

    def allocated(self, payment: int) -> int:
        return sum(part.cents for part in self.parts if part.payment == payment)

    def unallocated(self, payment: int) -> int:
        return self.payments[payment].amount - self.allocated(payment) - self.payments[payment].refunded

    def remaining(self, invoice: int) -> int:
        return self.unused(invoice) if self.state(invoice) == "paid" else 0

    def pending(self, invoice: int) -> int:
        return 0 if self.state(invoice) == "paid" else self.unused(invoice)

    def unused(self, invoice: int) -> int:
        return self.invoices[invoice].sold - self.invoices[invoice].used

    def g(self) -> int:
        return sum(self.pending(i) for i in range(len(self.invoices)) if self.state(i) == "pending")

    def due(self) -> int:
        return sum(self.left(i) for i in range(len(self.invoices)) if self.state(i) == "pending")

    def free_money(self) -> int:
        return sum(self.unallocated(i) for i in range(len(self.payments)))

    # --- what happens

    def bill(self, consumption: int) -> int:
        """Close a month: credits pay, oldest first, and as much is sold as is missing. Returns the total."""
        left, available = consumption, sum(self.remaining(i) for i in range(len(self.invoices)))
        pending = self.g()
        for i, row in enumerate(self.invoices):
            share = min(left, self.remaining(i))
            row.used += share
            left -= share
        missing = consumption - (available - (consumption - left)) - pending
        sold = max(0, missing)
        net = left + sold
        self.invoices.append(ModelInvoice(total=net + (net * 20 + 50) // 100, sold=sold))
        return self.invoices[-1].total

    def receive(self, cents: int, invoice: int | None) -> None:
        self.payments.append(ModelPayment(cents))
        payment = len(self.payments) - 1
        if invoice is not None:
            targets = [invoice]
        else:
            targets = [i for i in range(len(self.invoices)) if self.state(i) == "pending"]
        for target in targets:
            cents = min(self.unallocated(payment), self.left(target))
            if cents:
                self.settle(payment, target, cents)

    def allocate(self, payment: int, shares: list[tuple[int, int | None]]) -> None:
        money, due = self.unallocated(payment), {i: self.left(i) for i, _ in shares}
        wanted = []
        for invoice, cents in shares:
            share = min(money, due[invoice]) if cents is None else cents
            if not 0 < share <= min(money, due[invoice]):
                raise Refused
            money -= share
            wanted.append((invoice, share))
        for invoice, share in wanted:
            self.settle(payment, invoice, share)

    def settle(self, payment: int, invoice: int, cents: int) -> None:
        same = [part for part in self.parts if (part.payment, part.invoice) == (payment, invoice)]
        self.parts = [part for part in self.parts if part not in same]
        self.parts.append(Part(payment, invoice, cents + sum(part.cents for part in same), next(self.clock)))
        self.forget_write_off(invoice)

    def forget_write_off(self, invoice: int) -> None:
        if self.left(invoice) == 0:
            self.invoices[invoice].written_off = False

    def undo(self, part: Part) -> None:
        self.parts.remove(part)

    def charge_back(self, payment: int) -> None:
        if self.payments[payment].refunded == self.payments[payment].amount:
            raise Refused
        self.parts = [part for part in self.parts if part.payment != payment]
        self.payments[payment].refunded = self.payments[payment].amount

    def refund(self, payment: int, cents: int) -> None:
        if not 0 < cents <= self.unallocated(payment):
            raise Refused
        self.payments[payment].refunded += cents

    def write_off(self, invoice: int) -> None:
        if self.state(invoice) != "pending":
            raise Refused
        self.invoices[invoice].written_off = True

    def take_back(self, invoice: int) -> None:
        if self.state(invoice) != "wont_pay":
            raise Refused
        self.invoices[invoice].written_off = False

    def credit(self, invoice: int, cents: int) -> None:
        """A credit note that leaves something of the invoice: money that is too much is free again, newest first."""
        self.invoices[invoice].credited += cents
        too_much = -self.left(invoice)
        for part in sorted(self.parts, key=lambda part: -part.age):
            if part.invoice == invoice and too_much > 0:
                share = min(too_much, part.cents)
                too_much -= share
                part.cents -= share
                part.age = next(self.clock)
        self.parts = [part for part in self.parts if part.cents]
        self.forget_write_off(invoice)
