"""Money of a payment that goes back, under a reference that is taken once."""

from datetime import date, datetime
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.domain.money import format_cents
from billing.models import Payment, Refund
from billing.queries.months import local_day
from billing.usecases._accounts import UnableToSettle
from billing.usecases._events import NewEvent

REFERENCE_LENGTH = 100


class InvalidRefund(UnableToSettle):
    """The amount, the date, the method or the reference cannot be right."""


class RefundConflict(UnableToSettle):
    """The reference is taken by another refund."""


class Refunded(NamedTuple):
    """The stored refund; `is_new` is False when the same one was there before."""

    refund: Refund
    is_new: bool


def check_terms(payment: Payment, reference: str, day: date, method: str, at: datetime) -> None:
    """Check what a person may have typed wrong. Raises InvalidRefund."""
    if not 1 <= len(reference) <= REFERENCE_LENGTH:
        raise InvalidRefund(
            _("A refund needs a reference of at most %(length)s characters.") % {"length": REFERENCE_LENGTH}
        )
    if method not in Payment.Method.values:
        raise InvalidRefund(
            _("%(method)s is not a payment method: write %(methods)s.")
            % {"method": f"{method!r:.40}", "methods": ", ".join(Payment.Method.values)}
        )
    if day < payment.date:
        raise InvalidRefund(_("Money cannot go back before it came, on %(day)s.") % {"day": date_format(payment.date)})
    if day > local_day(at):
        raise InvalidRefund(_("Money cannot go back in the future: %(day)s.") % {"day": date_format(day)})


def find_refund(reference: str, *, payment: Payment, **content: object) -> Refund | None:
    """Return the refund that has this reference; its payment and content must be these. Raises RefundConflict."""
    stored = Refund.objects.filter(reference=reference).first()
    if stored is None:
        return None
    if stored.payment_id != payment.pk or any(getattr(stored, name) != value for name, value in content.items()):
        raise _conflict(stored)
    return stored


def _conflict(stored: Refund) -> RefundConflict:
    return RefundConflict(
        _("The reference %(reference)s is taken: %(amount)s went back on %(day)s.")
        % {"reference": stored.reference, "amount": format_cents(stored.amount_cents), "day": date_format(stored.date)}
    )


def store_refund(payment: Payment, *, kind: str, reference: str, cents: int, **terms: object) -> Refund:
    """Store money that went back; the account is locked, and that much is unallocated. Raises RefundConflict."""
    content = {"payment": payment, "kind": kind, "amount_cents": cents, **terms}
    # Refunds of two payers may arrive at once under one reference: it decides.
    refund, is_new = Refund.objects.get_or_create(reference=reference, defaults=content)
    if not is_new:
        raise _conflict(refund)
    payment.refunded_cents += cents
    payment.save(update_fields=["refunded_cents"])
    return refund


def refund_event(kind: str, refund: Refund, payment: Payment) -> NewEvent:
    """What went back of a payment."""
    return NewEvent(
        kind,
        organization_id=payment.organization_id,
        values={
            "payment": payment.reference,
            "refund": refund.reference,
            "cents": refund.amount_cents,
            "currency": payment.currency,
            "method": refund.method,
            "date": refund.date,
        },
        reason=refund.reason,
    )
