"""The credit statement in words: each letter with its label, formula and one plain sentence."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from billing import formatting
from billing.domain.statement import CreditStatement
from billing.queries.months import month_of


@dataclass(frozen=True)
class Row:
    """One printed row of the statement; `strong` for balances and results."""

    letter: str
    label: str
    formula: str
    cents: int
    sentence: str
    strong: bool = False


def statement_rows(statement: CreditStatement, *, fees_cents: int, month: date) -> list[Row]:
    """Word the lines a..i of a statement that settles a consumption month (its first day) of `fees_cents`."""
    letters = statement.as_letters()
    period = formatting.format_month(month)
    next_period = formatting.format_month(month_of(month).next.first_day)
    words = _words(statement, fees_cents, period, next_period)
    return [
        Row(letter, *words[letter][:2], letters[letter], words[letter][2], letter in ("A", "h", "B", "net_use"))
        for letter in letters
    ]


type Words = dict[str, tuple[str, str, str]]
"""Label, formula and sentence of each letter."""


def _words(statement: CreditStatement, fees_cents: int, period: str, next_period: str) -> Words:
    return {
        **_opening_words(period),
        **_use_words(formatting.format_amount(fees_cents), period, next_period),
        "h": (_("Credits to refill"), *_refill(statement, next_period)),
        **_closing_words(next_period),
    }


def _opening_words(period: str) -> Words:
    return {
        "a": (
            _("Previous free credits balance"),
            "",
            _("Free credits (coupons, gestures) that could be used in %(period)s.") % {"period": period},
        ),
        "b": (
            _("Previous prepaid credits balance"),
            "",
            _("Prepaid credits whose invoices were paid when this invoice was computed."),
        ),
        "A": (_("Previous balance"), "a + b", _("All credits that could pay for %(period)s.") % {"period": period}),
    }


def _use_words(fees: str, period: str, next_period: str) -> Words:
    return {
        "c": (
            _("Used free credits"),
            "−min(U, a)",
            _("Free credits pay first, as far as they go: the consumption U is %(fees)s.") % {"fees": fees},
        ),
        "d": (
            _("Expired free credits"),
            "",
            _("What was left of free credits whose last day lies in %(period)s.") % {"period": period},
        ),
        "e": (_("Used prepaid credits"), "−min(U + c, b)", _("Prepaid credits pay what free credits left over.")),
        "f": (
            _("Estimated consumption, next period"),
            "",
            _("What %(period)s will probably consume, going by the months before.") % {"period": next_period},
        ),
        "g": (
            _("Billed credits pending payment"),
            "",
            _("Sold by issued invoices that are not fully paid yet: they are not sold a second time."),
        ),
    }


def _closing_words(next_period: str) -> Words:
    return {
        "B": (
            _("Balance once this invoice is paid"),
            "A + c + d + e + h",
            _("What is there for %(period)s, apart from credits of earlier invoices that are still unpaid.")
            % {"period": next_period},
        ),
        "i": (_("Change of the balance"), "B − A", _("By how much the balance grows or shrinks.")),
        "net_use": (
            _("Net use of credits"),
            "i − d",
            _("What credits add to the fees, or take off them; an expiry is nobody's money."),
        ),
    }


def _refill(statement: CreditStatement, next_period: str) -> tuple[str, str]:
    """Give the formula of the refill and say how it came about: computed, cut at zero, or agreed."""
    formula = "−(A + c + d + e + f + g)"
    left_cents = statement.change_cents - statement.refill_cents + statement.opening_cents
    missing_cents = -(left_cents + statement.estimate_cents + statement.pending_cents)
    if statement.refill_cents != max(0, missing_cents):
        return "", _("An amount agreed with the organization or set by hand, instead of the computed one.")
    if missing_cents < 0:
        excess = formatting.format_amount(-missing_cents)
        sentence = _("Nothing: there is %(excess)s more than estimated, which stays on the account.")
        return f"max(0, {formula})", sentence % {"excess": excess}
    if missing_cents == 0:
        return formula, _("Nothing is missing for %(period)s.") % {"period": next_period}
    sentence = _("What is missing for %(period)s: the provision that this invoice sells.")
    return formula, sentence % {"period": next_period}
