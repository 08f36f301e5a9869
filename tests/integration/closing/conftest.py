"""A draft that may need a second person, and the people of the desk.

Usage of apps.S costs 0.01 a second. Atlas' October is 100.00 + 100.00 of provision + 20 % VAT = 240.00.
"""

import pytest

from billing.models import ApprovalPolicy, Invoice
from organizations.models import Organization, User
from tests.builders.closing import close, consume, invoice_of, make_metered_price
from tests.builders.desk import make_staff
from tests.builders.organizations import make_organization


@pytest.fixture
def max_() -> User:
    return make_staff("Billing manager")


@pytest.fixture
def clara() -> User:
    return make_staff("Controller")


@pytest.fixture
def fiona() -> User:
    return make_staff("Accountant")


@pytest.fixture
def atlas(max_: User, clara: User, fiona: User) -> Organization:
    """Totals need a second person from 200.00 on."""
    ApprovalPolicy.objects.update(invoice_total_cents=200_00)
    make_metered_price()
    return make_organization(external_id="orga_atlas", name="Atlas")


@pytest.fixture
def draft(atlas: Organization) -> Invoice:
    consume(atlas, quantity=10_000, on="2026-10-03")
    close("2026-10")
    return invoice_of(atlas, "2026-10")
