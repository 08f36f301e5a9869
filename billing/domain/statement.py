"""The credit statement: the lines a..i that show how an organization's credits evolved (domain page, section 5)."""

from msgspec import Struct

from billing.domain.credits import CreditUse


class CreditStatement(Struct, frozen=True, gc=False):
    """Cents, with the signs of the printed statement: what leaves the account is negative.

    The letters are the published ones; `as_letters` gives them all.
    """

    free_balance_cents: int  # a >= 0
    prepaid_balance_cents: int  # b >= 0
    used_free_cents: int  # c <= 0
    expired_cents: int  # d <= 0
    used_prepaid_cents: int  # e <= 0
    estimate_cents: int  # f <= 0
    pending_cents: int  # g >= 0
    refill_cents: int  # h >= 0

    @property
    def opening_cents(self) -> int:
        """A = a + b: the balance before the month is settled."""
        return self.free_balance_cents + self.prepaid_balance_cents

    @property
    def closing_cents(self) -> int:
        """B = A + c + d + e + h: the balance once this invoice is paid."""
        return self.opening_cents + self.change_cents

    @property
    def change_cents(self) -> int:
        """i = B - A."""
        return self.used_free_cents + self.expired_cents + self.used_prepaid_cents + self.refill_cents

    @property
    def net_use_cents(self) -> int:
        """i - d: what credits add to the fees (> 0) or take off them (< 0). An expiry is nobody's money."""
        return self.change_cents - self.expired_cents

    def regularization_cents(self, consumption_cents: int) -> int:
        """The part of the consumption U that no credit covered, billed now."""
        return consumption_cents + self.used_free_cents + self.used_prepaid_cents

    def subtotal_cents(self, consumption_cents: int, other_cents: int) -> int:
        """Subtotal excluding VAT = regularization + h + D, for U = `consumption_cents` and D = `other_cents`.

        It equals U + D + net use: the statement explains the same money that the invoice bills.
        """
        return self.regularization_cents(consumption_cents) + self.refill_cents + other_cents

    def as_letters(self) -> dict[str, int]:
        """The statement's letters in printed order, in cents."""
        return {
            "a": self.free_balance_cents,
            "b": self.prepaid_balance_cents,
            "A": self.opening_cents,
            "c": self.used_free_cents,
            "d": self.expired_cents,
            "e": self.used_prepaid_cents,
            "f": self.estimate_cents,
            "g": self.pending_cents,
            "h": self.refill_cents,
            "B": self.closing_cents,
            "i": self.change_cents,
            "net_use": self.net_use_cents,
        }


def make_statement(
    use: CreditUse, *, estimate_cents: int, pending_cents: int, negotiated_refill_cents: int | None
) -> CreditStatement:
    """The statement of a month whose credits were used as in `use`.

    `estimate_cents` (>= 0) is the consumption expected next month; `pending_cents` (>= 0) are prepaid credits on issued
    invoices that are not fully paid. A negotiated refill (>= 0) replaces the automatic one, which tops the account
    up to the estimate and never takes anything back: when there is too much, the excess stays on the account.

    An account that closes has estimate 0 and no negotiated refill. Raises ValueError on a negative amount.
    """
    if estimate_cents < 0 or pending_cents < 0 or (negotiated_refill_cents or 0) < 0:
        raise ValueError(
            "Estimate, pending credits and negotiated refill cannot be negative: "
            f"{estimate_cents}, {pending_cents}, {negotiated_refill_cents} cents."
        )
    # One sum instead of a property each: a close makes 100,000 statements.
    used_cents = use.used_cents
    used_free_cents = min(used_cents, use.free_balance_cents)
    expired_cents = use.expired_cents
    if negotiated_refill_cents is None:
        left_cents = use.free_balance_cents + use.prepaid_balance_cents - used_cents - expired_cents
        refill_cents = max(0, estimate_cents - left_cents - pending_cents)
    else:
        refill_cents = negotiated_refill_cents
    return CreditStatement(
        free_balance_cents=use.free_balance_cents,
        prepaid_balance_cents=use.prepaid_balance_cents,
        used_free_cents=-used_free_cents,
        expired_cents=-expired_cents,
        used_prepaid_cents=used_free_cents - used_cents,
        estimate_cents=-estimate_cents,
        pending_cents=pending_cents,
        refill_cents=refill_cents,
    )
