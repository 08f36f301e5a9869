"""Give an organization credits: a gesture, a trial, or money that it paid in advance elsewhere."""

from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import CreditGrant
from billing.usecases._grants import InvalidGrant, book_grants, check_grant
from organizations.models import Organization, User
from organizations.upserts import differences

__all__ = ["GrantConflict", "Granted", "InvalidGrant", "grant_credits"]


class GrantConflict(InvalidGrant):
    """The reference is taken by a grant with other content."""


class Granted(NamedTuple):
    """The stored grant; `is_new` is False when the same one was there before."""

    grant: CreditGrant
    is_new: bool


@transaction.atomic
def grant_credits(
    *,
    organization_id: int,
    type: str,  # noqa: A002  # the model's word
    amount_cents: int,
    at: datetime,
    reference: str | None = None,
    starts_on: date | None = None,
    expires_on: date | None = None,
    priority: int = 0,
    reason: str = "",
    author: User | None = None,
) -> Granted:
    """Grant credits that are usable at once, from `starts_on` to `expires_on`, both included.

    They are in the currency of the organization. `author` is who gives them in the desk; nobody: the platform. The
    same reference with the same content changes nothing. Raises InvalidGrant for terms that contradict each other,
    GrantConflict for a reference with other content.
    """
    check_grant(type=type, amount_cents=amount_cents, starts_on=starts_on, expires_on=expires_on)
    # The account's lock: its currency cannot change meanwhile, and of two that come at once the second finds the first.
    organization = Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
    values = {
        "organization_id": organization.pk,
        "type": type,
        "amount_cents": amount_cents,
        "currency": organization.currency,
        "starts_on": starts_on,
        "expires_on": expires_on,
        "priority": priority,
        "reason": reason,
    }
    stored = None if reference is None else CreditGrant.objects.filter(reference=reference).first()
    if stored is not None:
        if differences(stored, values):
            raise GrantConflict(
                _("The reference %(reference)s is taken by a grant with other content.") % {"reference": reference}
            )
        return Granted(stored, is_new=False)
    grant = CreditGrant(reference=reference, author=author, **values)
    book_grants([grant], at=at)
    return Granted(grant, is_new=True)
