"""Rules of credit grants, and the ledger entry that every usable grant begins with."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import CreditEntry, CreditGrant


class InvalidGrant(ValueError):
    """The terms of a grant contradict each other; the message is a sentence."""


def check_grant(*, type: str, amount_cents: int, starts_on: date | None, expires_on: date | None) -> None:  # noqa: A002
    """Check the terms of a grant. Raises InvalidGrant."""
    if amount_cents <= 0:
        raise InvalidGrant(_("A grant gives more than nothing."))
    if type == CreditGrant.Type.PREPAID and expires_on is not None:
        raise InvalidGrant(_("Prepaid credits do not expire."))
    if starts_on is not None and expires_on is not None and expires_on < starts_on:
        raise InvalidGrant(
            _("The credits cannot expire on %(end)s, before they start on %(start)s.")
            % {"end": date_format(expires_on), "start": date_format(starts_on)}
        )


@transaction.atomic
def book_grants(grants: Sequence[CreditGrant], *, at: datetime) -> None:
    """Store new grants as usable, each with a `grant` entry of its whole amount."""
    for grant in grants:
        grant.state = CreditGrant.State.ACTIVE
        grant.remaining_cents = grant.amount_cents
    CreditGrant.objects.bulk_create(grants)
    CreditEntry.objects.bulk_create(
        CreditEntry(grant=grant, kind=CreditEntry.Kind.GRANT, amount_cents=grant.amount_cents, booked_at=at)
        for grant in grants
    )
