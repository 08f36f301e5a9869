"""Credits and coupons of an organization, and how it pays."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from msgspec import DecodeError, Struct, json
from rest_framework.request import Request

from billing.api.bodies import read_body
from billing.api.pages import read_query
from billing.api.problems import Problem
from billing.api.v4.views import MemberView
from billing.api.views import ok
from billing.queries.credit_history import load_balance, tree_ids
from billing.queries.customer_api.money import from_cents
from billing.usecases.apply_coupon import CouponNotFound, CouponRefused, apply_coupon
from billing.usecases.coupon_tries import WITHIN_SECONDS, count_wrong_code, is_guessing

MAX_BODY_BYTES = 64 * 1024


class CreditsSummary(Struct, frozen=True, rename="camel"):
    """What is usable now, also by the sub-organizations that the organization pays for."""

    prepaid_credit: Decimal
    free_credit: Decimal
    currency: str


class CouponToApply(Struct, frozen=True, forbid_unknown_fields=True):
    """Which coupon."""

    name: str


class AppliedCoupon(Struct, frozen=True):
    """That a coupon was used; the days are those on which its credits can be used."""

    coupon_name: str
    usageDate: datetime  # noqa: N815  # the field's published name
    freeCreditsStartDate: date | None  # noqa: N815
    freeCreditsEndDate: date | None  # noqa: N815
    appliedByUserId: str  # noqa: N815


class CreditsSummaryView(MemberView):
    """How the credits stand."""

    def get(self, request: Request, external_id: str) -> Any:
        """The sums."""
        read_query(request.query_params, {})
        organization = self.find_organization(external_id)
        balance = load_balance(tree_ids(organization))
        summary = CreditsSummary(
            from_cents(balance.prepaid_cents), from_cents(balance.free_cents), organization.currency
        )
        return ok(summary)


class AppliedCouponsView(MemberView):
    """Use a coupon. What refuses it has a number for its code."""

    def post(self, request: Request, external_id: str) -> Any:
        """Give the organization its credits."""
        read_query(request.query_params, {})
        organization = self.find_organization(external_id)
        name = _read_name(request)
        if is_guessing(organization.pk):
            sentence = "Too many codes that do not exist: try again in an hour."
            raise Problem(429, "too_many_requests", sentence, headers={"Retry-After": str(WITHIN_SECONDS)})
        try:
            use = apply_coupon(coupon_name=name, organization=organization, user=self.member, at=timezone.now())
        except CouponRefused as refused:
            if isinstance(refused, CouponNotFound):
                count_wrong_code(organization.pk)
            # 400 for all: to the clients, 404 means that there is no such organization.
            raise Problem(400, str(refused.code), str(refused)) from refused
        applied = AppliedCoupon(
            coupon_name=use.coupon.name,
            usageDate=use.used_at,
            freeCreditsStartDate=use.grant.starts_on,
            freeCreditsEndDate=use.grant.expires_on,
            appliedByUserId=str(self.member.pk),
        )
        return ok(applied, status=201)


class PaymentMethodsView(MemberView):
    """Stored means of payment: this product stores none, customers pay by transfer or through the platform."""

    def get(self, request: Request, external_id: str) -> Any:
        """An empty list."""
        read_query(request.query_params, {})
        self.find_organization(external_id)
        return ok([])


def _read_name(request: Request) -> str:
    raw, _ = read_body(request._request, media_types=("application/json",), limit=MAX_BODY_BYTES)
    try:
        return json.decode(raw, type=CouponToApply).name.strip()
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        sentence = f'Send a coupon such as {{"name": "WELCOME"}}: {error}.'
        raise Problem(400, "invalid_body", sentence) from error
