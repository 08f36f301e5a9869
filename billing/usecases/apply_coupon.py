"""Let an organization use a coupon."""

from datetime import date, datetime, timedelta
from typing import ClassVar

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import Coupon, CouponUse, CreditGrant
from billing.queries.months import local_day, month_of
from billing.usecases._grants import book_grants
from organizations.models import Organization, User


class CouponRefused(ValueError):
    """The coupon cannot be used; `code` is the number that the customers' API answers with."""

    code: ClassVar[int]


class CouponNotFound(CouponRefused):
    """There is no coupon of that name."""

    code = 10001


class CouponNotValidYet(CouponRefused):
    """It is used before its first day."""

    code = 10002


class CouponNoLongerValid(CouponRefused):
    """It is used after its last day."""

    code = 10003


class CouponUsedUp(CouponRefused):
    """It was used as often as it may be."""

    code = 10004


class CouponCurrencyMismatch(CouponRefused):
    """It gives credits in another currency than the organization's."""

    code = 10005


class CouponAlreadyUsed(CouponRefused):
    """The organization has used it."""

    code = 10011


class CouponAccountClosed(CouponRefused):
    """The organization is closed: nothing is billed any more that its credits could pay."""

    code = 10012


@transaction.atomic
def apply_coupon(*, coupon_name: str, organization: Organization, user: User | None, at: datetime) -> CouponUse:
    """Give an organization the free credits of a coupon, usable from the day of use.

    They expire at the end of the month in which the day of use plus the days they last lies. Days are those of the
    legal entity's time zone. Raises a subclass of CouponRefused, with a sentence, and then stores nothing.
    """
    # Locks in the order of the house, account first; the coupon's makes uses at once count one after the other.
    account = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    coupon = Coupon.objects.select_for_update().filter(name=coupon_name).first() if "\0" not in coupon_name else None
    if coupon is None:
        raise CouponNotFound(_("There is no coupon of this name."))
    today = local_day(at)
    _check(coupon, account, today)
    grant = CreditGrant(
        organization=account,
        type=CreditGrant.Type.FREE,
        amount_cents=coupon.amount_cents,
        currency=coupon.currency,
        starts_on=today,
        expires_on=_expiry(coupon, today),
        reason=coupon.name,
        author=user if user is not None and user.is_staff else None,
    )
    book_grants([grant], at=at)
    return CouponUse.objects.create(coupon=coupon, organization=account, grant=grant, used_by=user, used_at=at)


def _check(coupon: Coupon, account: Organization, today: date) -> None:
    if account.closed_on is not None and today >= account.closed_on:
        raise CouponAccountClosed(
            _("This organization closed on %(day)s: it cannot use coupons any more.")
            % {"day": date_format(account.closed_on, "j F Y")}
        )
    if coupon.valid_from is not None and today < coupon.valid_from:
        raise CouponNotValidYet(
            _("This coupon is not valid before %(day)s.") % {"day": date_format(coupon.valid_from, "j F Y")}
        )
    if coupon.valid_until is not None and today > coupon.valid_until:
        raise CouponNoLongerValid(
            _("This coupon was valid until %(day)s.") % {"day": date_format(coupon.valid_until, "j F Y")}
        )
    if CouponUse.objects.filter(coupon=coupon, organization=account).exists():
        raise CouponAlreadyUsed(_("This organization has already used this coupon."))
    if coupon.currency != account.currency:
        raise CouponCurrencyMismatch(
            _("This coupon gives credits in %(coupon)s, the organization is billed in %(organization)s.")
            % {"coupon": coupon.currency, "organization": account.currency}
        )
    if coupon.maximum_uses is not None and CouponUse.objects.filter(coupon=coupon).count() >= coupon.maximum_uses:
        raise CouponUsedUp(_("This coupon was used as often as it may be."))


def _expiry(coupon: Coupon, today: date) -> date | None:
    if coupon.credits_last_days is None:
        return None
    return month_of(today + timedelta(days=coupon.credits_last_days)).last_day
