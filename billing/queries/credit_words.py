"""Movements of credits, and where they come from, in words for the customer whose credits they are."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import formatting
from billing.domain.credit_history import Movement
from billing.queries.credit_history import Cause, Lot


def lot_words(lot: Lot) -> str:
    """Name a lot of credits by where it comes from."""
    if lot.invoice_number:
        return _("sold by invoice %(number)s") % {"number": lot.invoice_number}
    if lot.coupon:
        return _("coupon %(coupon)s") % {"coupon": lot.coupon}
    return lot.reason or (_("free credits") if lot.is_free else _("prepaid credits"))


def validity_words(lot: Lot, today: date) -> str:
    """Say from when and until when a lot can be used."""
    if lot.starts_on and lot.starts_on > today:
        return _("usable from %(day)s") % {"day": _day(lot.starts_on)}
    if lot.expires_on is None:
        return _("does not expire")
    if lot.expires_on < today:
        return _("expired on %(day)s: what the invoice of %(month)s does not use is lost") % {
            "day": _day(lot.expires_on),
            "month": formatting.format_month(lot.expires_on),
        }
    return _("until %(day)s") % {"day": _day(lot.expires_on)}


def document_of(cause: Cause) -> str | None:
    """The number of the invoice or credit note to look at: what moved the credits, or else what sold them."""
    return cause.document_number or (cause.lot.invoice_number if cause.lot else None)


def movement_words(movement: Movement[Cause], currency: str) -> str:
    """Say in one sentence what moved the balance and why."""
    cause = movement.cause
    amount = formatting.money_in_words(abs(movement.cents), currency)
    match movement.kind:
        case "grant":
            return _granted(cause.lot, amount, movement.day)
        case "use":
            return _used(movement.month, amount)
        case "return":
            return _returned(movement.month, amount)
        case "suspension":
            return _suspended(cause.lot, amount)
        case "expiry":
            return _expired(cause.lot, amount, movement.day, is_undone=movement.cents > 0)
        case "revocation":
            return _revoked(cause, amount)
        case "refund":
            return _("%(amount)s of prepaid credits were paid back to you.") % {"amount": amount}
    return _("%(amount)s were moved.") % {"amount": amount}


def _granted(lot: Lot | None, amount: str, day: date) -> str:
    if lot is None:
        return _("%(amount)s of credits were added.") % {"amount": amount}
    if lot.invoice_number and lot.invoice_date:
        return _(
            "Your invoice %(number)s of %(issued)s sold you %(amount)s of credits; they became usable when it was paid "
            "in full on %(day)s."
        ) % {"number": lot.invoice_number, "issued": _day(lot.invoice_date), "amount": amount, "day": _day(day)}
    if lot.coupon:
        return _("Coupon %(coupon)s gave you %(amount)s of free credits.") % {"coupon": lot.coupon, "amount": amount}
    if lot.is_free:
        sentence = _("You were given %(amount)s of free credits: %(reason)s")
        return sentence % {"amount": amount, "reason": lot.reason or _("a gesture")}
    if lot.reason:
        return _("%(amount)s of prepaid credits were added: %(reason)s") % {"amount": amount, "reason": lot.reason}
    return _("%(amount)s of prepaid credits were added.") % {"amount": amount}


def _used(month: date | None, amount: str) -> str:
    if month is None:
        return _("Consumption used %(amount)s of credits.") % {"amount": amount}
    return _("The consumption of %(month)s used %(amount)s of credits.") % {
        "month": formatting.format_month(month),
        "amount": amount,
    }


def _returned(month: date | None, amount: str) -> str:
    if month is None:
        return _("%(amount)s of used credits were given back.") % {"amount": amount}
    return _("%(amount)s that the consumption of %(month)s had used were given back: it was corrected.") % {
        "month": formatting.format_month(month),
        "amount": amount,
    }


def _suspended(lot: Lot | None, amount: str) -> str:
    if lot is None or not lot.invoice_number:
        return _("%(amount)s of credits were suspended.") % {"amount": amount}
    return _(
        "%(amount)s of the credits of invoice %(number)s are suspended until it is paid again: its payment was taken "
        "back."
    ) % {"amount": amount, "number": lot.invoice_number}


def _expired(lot: Lot | None, amount: str, day: date, *, is_undone: bool) -> str:
    name = lot_words(lot) if lot else _("free credits")
    if is_undone:
        return _("%(amount)s came back (%(name)s): the month in which they had expired is invoiced anew.") % {
            "amount": amount,
            "name": name,
        }
    if lot is None or lot.expires_on is None or lot.expires_on >= day:
        return _("%(amount)s of free credits were lost (%(name)s): the account is closed.") % {
            "amount": amount,
            "name": name,
        }
    return _("%(amount)s were left unused and expired on %(day)s (%(name)s).") % {
        "amount": amount,
        "day": _day(lot.expires_on),
        "name": name,
    }


def _revoked(cause: Cause, amount: str) -> str:
    if cause.document_number:
        return _("Credit note %(number)s took back %(amount)s of credits that were not used.") % {
            "number": cause.document_number,
            "amount": amount,
        }
    return _("%(amount)s of credits were taken back.") % {"amount": amount}


def _day(day: date) -> str:
    return date_format(day, "j F Y")
