"""Credits that are granted, and coupons that give some."""

from datetime import UTC, date, datetime

import pytest

from billing.models import Coupon, CouponUse, CreditEntry, CreditGrant
from billing.usecases.apply_coupon import (
    CouponAccountClosed,
    CouponAlreadyUsed,
    CouponCurrencyMismatch,
    CouponNoLongerValid,
    CouponNotFound,
    CouponNotValidYet,
    CouponRefused,
    CouponUsedUp,
    apply_coupon,
)
from billing.usecases.grant_credits import GrantConflict, InvalidGrant, grant_credits
from organizations.models import Organization, User
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

AT = datetime(2026, 10, 10, 12, 0, tzinfo=UTC)


def make_coupon(**fields: object) -> Coupon:
    values: dict[str, object] = {
        "name": "WELCOME",
        "amount_cents": 2_000,
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2026, 12, 31),
        "credits_last_days": 60,
        "maximum_uses": 100,
        **fields,
    }
    return Coupon.objects.create(**values)


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas")


class TestGrants:
    def test_credits_are_usable_at_once(self, atlas: Organization) -> None:
        granted = grant_credits(
            organization_id=atlas.pk, type="free", amount_cents=500, expires_on=date(2026, 12, 31), at=AT
        )

        grant = CreditGrant.objects.get()
        assert granted == (grant, True)
        assert (grant.state, grant.remaining_cents, grant.currency) == ("active", 500, "EUR")
        assert CreditEntry.objects.values_list("grant", "kind", "amount_cents", "booked_at").get() == (
            grant.pk, "grant", 500, AT,
        )  # fmt: skip

    def test_the_same_reference_is_one_grant(self, atlas: Organization) -> None:
        for is_new in (True, False):
            granted = grant_credits(organization_id=atlas.pk, type="prepaid", amount_cents=500, reference="G-1", at=AT)
            assert granted.is_new == is_new
        with pytest.raises(GrantConflict):
            grant_credits(organization_id=atlas.pk, type="prepaid", amount_cents=501, reference="G-1", at=AT)
        assert CreditGrant.objects.get().amount_cents == 500

    def test_without_reference_every_grant_is_another(self, atlas: Organization) -> None:
        for _ in range(2):
            grant_credits(organization_id=atlas.pk, type="prepaid", amount_cents=500, at=AT)

        assert CreditGrant.objects.count() == 2

    def test_terms_that_contradict_each_other(self, atlas: Organization) -> None:
        with pytest.raises(InvalidGrant, match=r"^Prepaid credits do not expire\.$"):
            grant_credits(
                organization_id=atlas.pk, type="prepaid", amount_cents=1, expires_on=date(2026, 12, 31), at=AT
            )
        with pytest.raises(InvalidGrant, match=r"^A grant gives more than nothing\.$"):
            grant_credits(organization_id=atlas.pk, type="free", amount_cents=0, at=AT)
        assert not CreditGrant.objects.exists()


class TestCoupons:
    def apply(self, organization: Organization, at: datetime = AT, name: str = "WELCOME") -> CouponUse:
        return apply_coupon(coupon_name=name, organization=organization, user=None, at=at)

    def refuse(self, error: type[CouponRefused], organization: Organization, at: datetime = AT) -> int:
        uses = CouponUse.objects.count()
        with pytest.raises(error) as raised:
            self.apply(organization, at)
        assert CouponUse.objects.count() == CreditGrant.objects.count() == uses
        assert str(raised.value).endswith(".")
        return raised.value.code

    def test_a_use_grants_free_credits_from_the_day_on(self, atlas: Organization) -> None:
        coupon = make_coupon()
        alice = User.objects.create_user("alice@example.com")

        use = apply_coupon(coupon_name="WELCOME", organization=atlas, user=alice, at=AT)

        assert (use.coupon, use.organization, use.used_by, use.used_at) == (coupon, atlas, alice, AT)
        grant = use.grant
        assert (grant.type, grant.state, grant.amount_cents, grant.remaining_cents) == ("free", "active", 2_000, 2_000)
        assert grant.starts_on == date(2026, 10, 10)
        # 60 days from October 10 are December 9: the credits last to the end of that month.
        assert grant.expires_on == date(2026, 12, 31)
        assert grant.entries.get().amount_cents == 2_000

    @pytest.mark.parametrize(
        ("days", "expires_on"),
        [(0, date(2026, 10, 31)), (21, date(2026, 10, 31)), (22, date(2026, 11, 30)), (None, None)],
    )
    def test_credits_expire_at_the_end_of_a_month(
        self, atlas: Organization, days: int | None, expires_on: date | None
    ) -> None:
        make_coupon(credits_last_days=days)

        assert self.apply(atlas).grant.expires_on == expires_on

    def test_the_day_of_use_is_that_of_the_legal_entity(self, atlas: Organization) -> None:
        make_coupon()

        # 23:30 UTC on October 31 is already November 1 in Paris.
        assert self.apply(atlas, datetime(2026, 10, 31, 23, 30, tzinfo=UTC)).grant.starts_on == date(2026, 11, 1)

    def test_unknown(self, atlas: Organization) -> None:
        assert self.refuse(CouponNotFound, atlas) == 10001
        with pytest.raises(CouponNotFound):
            self.apply(atlas, name="\0")

    def test_its_first_and_last_day(self, atlas: Organization) -> None:
        make_coupon(valid_from=date(2026, 10, 11), valid_until=date(2026, 10, 20))

        assert self.refuse(CouponNotValidYet, atlas) == 10002
        # Midnight of October 21 in Paris is 22:00 UTC on October 20.
        assert self.refuse(CouponNoLongerValid, atlas, datetime(2026, 10, 20, 22, tzinfo=UTC)) == 10003
        self.apply(atlas, datetime(2026, 10, 20, 21, 59, tzinfo=UTC))

    def test_a_coupon_without_limits(self, atlas: Organization) -> None:
        make_coupon(valid_from=None, valid_until=None, maximum_uses=None)

        self.apply(atlas)

    def test_it_is_used_as_often_as_it_may_be(self, atlas: Organization) -> None:
        make_coupon(maximum_uses=1)
        self.apply(make_organization())

        assert self.refuse(CouponUsedUp, atlas) == 10004

    def test_in_another_currency(self) -> None:
        make_coupon()

        assert self.refuse(CouponCurrencyMismatch, make_organization(currency="USD")) == 10005

    def test_not_from_the_day_on_which_the_organization_closes(self, atlas: Organization) -> None:
        make_coupon()
        Organization.objects.filter(pk=atlas.pk).update(closed_on=date(2026, 10, 11))

        assert self.refuse(CouponAccountClosed, atlas, datetime(2026, 10, 11, 12, tzinfo=UTC)) == 10012
        self.apply(atlas)

    def test_once_per_organization(self, atlas: Organization) -> None:
        make_coupon(maximum_uses=1)
        self.apply(atlas)

        assert self.refuse(CouponAlreadyUsed, atlas) == 10011
