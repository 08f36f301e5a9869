"""How each letter of the credit statement came about: grants, movements, months, or the formula with its figures."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from billing import formatting
from billing.admin._explanation import Explanation, Step
from billing.domain.statement import CreditStatement
from billing.models import CreditEntry, CreditGrant, Invoice
from billing.queries.explanations import Movement, load_balances, load_estimate_months, load_pending, load_uses

Type, Kind = CreditGrant.Type, CreditEntry.Kind
# Letters that are computed from others: sign and letter of each part.
FORMULAS = {
    "A": ("a", "b"),
    "h": ("A", "c", "d", "e", "f", "g"),
    "B": ("A", "c", "d", "e", "h"),
    "i": ("B", "A"),
    "net_use": ("i", "d"),
}
SUBTRACTED = {"i": "A", "net_use": "d"}


def explain_letter(invoice: Invoice, statement: CreditStatement, letter: str, label: str) -> Explanation:
    """Explain one line of the statement."""
    letters = statement.as_letters()
    if letter in FORMULAS:
        steps = [_part(letters, part, SUBTRACTED.get(letter)) for part in FORMULAS[letter]]
        if letter == "h":
            steps.append(_refill(letters))
    else:
        steps = _rows(invoice, letter)
    return Explanation(f"{letter} · {label}" if len(letter) == 1 else label, letters[letter], steps)


def _part(letters: dict[str, int], part: str, subtracted: str | None) -> Step:
    cents = -letters[part] if part == subtracted else letters[part]
    return Step(f"− {part}" if part == subtracted else part, formatting.format_amount(cents))


def _refill(letters: dict[str, int]) -> Step:
    missing_cents = -sum(letters[part] for part in FORMULAS["h"])
    sentence = _("An agreed or adjusted amount, instead of the computed one.")
    if letters["h"] == max(0, missing_cents):
        sentence = _("The sum with its sign turned; never below zero.")
    return Step(_("− (A + c + d + e + f + g)"), formatting.format_amount(missing_cents), sentence)


def _rows(invoice: Invoice, letter: str) -> list[Step]:
    match letter:
        case "a":
            return _grants(load_balances(invoice, grant_type=Type.FREE))
        case "b":
            return _grants(load_balances(invoice, grant_type=Type.PREPAID))
        case "c":
            return _moved(invoice, (Kind.USE,), Type.FREE)
        case "d":
            return _moved(invoice, (Kind.EXPIRY,), Type.FREE)
        case "e":
            return _moved(invoice, (Kind.USE,), Type.PREPAID)
        case "f":
            return _estimate(invoice)
        case _:
            return _grants(load_pending(invoice))


def _moved(invoice: Invoice, kinds: Iterable[str], grant_type: str) -> list[Step]:
    if invoice.document_state != "issued":
        return [Step(_("Booked on the grants when the invoice is issued; this is what it will be."))]
    return _grants(load_uses(invoice, kinds=kinds, grant_type=grant_type))


def _grants(movements: list[Movement]) -> list[Step]:
    if not movements:
        return [Step(_("No grant."))]
    return [
        Step(
            str(formatting.name_of_grant(movement.grant)),
            formatting.format_amount(movement.cents),
            str(movement.grant.get_type_display()),
            formatting.change_url("billing.creditgrant", movement.grant.pk),
        )
        for movement in movements
    ]


def _estimate(invoice: Invoice) -> list[Step]:
    outcomes = load_estimate_months(invoice)
    if not outcomes:
        return [Step(_("No provision is sold to this organization."))]
    steps = [
        Step(
            formatting.format_month(outcome.month),
            formatting.format_amount(outcome.own_consumption_cents),
            _("Its own consumption less its discount, without late usage."),
        )
        for outcome in outcomes
    ]
    return [
        *steps,
        Step(_("The mean, rounded once, half away from zero; with the sign of what will leave the account")),
    ]
