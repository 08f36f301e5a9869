"""The coupons that an organization used, and what became of the credits they gave."""

from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import CouponUse
from billing.queries.months import local_day
from organizations.models import Organization

SHOWN = 200


@dataclass(frozen=True)
class UsedCoupon:
    """A coupon with what its credits were and what is left of them, in cents."""

    name: str
    used_on: date
    used_by: str
    given_cents: int
    left_cents: int
    validity: str


def load_used_coupons(organization: Organization, *, today: date) -> list[UsedCoupon]:
    """The coupons, the last used first: one query."""
    rows = CouponUse.objects.filter(organization=organization).select_related("coupon", "grant", "used_by")
    return [
        UsedCoupon(
            use.coupon.name,
            local_day(use.used_at),
            use.used_by.email if use.used_by else "",
            use.grant.amount_cents,
            use.grant.remaining_cents,
            _validity(use.grant.expires_on, today),
        )
        for use in rows.order_by("-used_at", "-id")[:SHOWN]
    ]


def _validity(expires_on: date | None, today: date) -> str:
    if expires_on is None:
        return _("does not expire")
    day = date_format(expires_on, "j F Y")
    return _("until %(day)s") % {"day": day} if expires_on >= today else _("expired on %(day)s") % {"day": day}
