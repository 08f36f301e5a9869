"""Organizations and who their invoices are made out to."""

from datetime import date
from itertools import count

from organizations.models import BillingProfile, Organization

_serial = count(1)


def make_organization(
    *,
    external_id: str | None = None,
    name: str = "Atlas",
    parent: Organization | None = None,
    currency: str = "EUR",
    opened_on: date = date(2026, 1, 15),
    closed_on: date | None = None,
    forecast_months: int = 1,
    negotiated_refill_cents: int | None = None,
    negotiated_refill_until: date | None = None,
    consumption_discount_ppm: int = 0,
    payment_term_days: int = 30,
    with_profile: bool = True,
) -> Organization:
    """Store an organization, with a complete French billing profile unless it is a sub-organization."""
    organization = Organization.objects.create(
        external_id=external_id or f"orga_{next(_serial):06d}",
        name=name,
        parent=parent,
        currency=currency,
        opened_on=opened_on,
        closed_on=closed_on,
        forecast_months=forecast_months,
        negotiated_refill_cents=negotiated_refill_cents,
        negotiated_refill_until=negotiated_refill_until,
        consumption_discount_ppm=consumption_discount_ppm,
        payment_term_days=payment_term_days,
    )
    if with_profile and parent is None:
        make_billing_profile(organization=organization, company=f"{name} SAS")
    return organization


def make_billing_profile(
    *,
    organization: Organization,
    company: str = "Atlas SAS",
    name: str = "Jane Doe",
    address: str = "1 rue du Joli Cœur",
    postcode: str = "54000",
    city: str = "Nancy",
    country: str = "FR",
    is_company: bool = True,
    vat_number: str = "",
) -> BillingProfile:
    """Store the buyer details of an organization."""
    return BillingProfile.objects.create(
        organization=organization,
        is_company=is_company,
        company=company,
        name=name,
        address=address,
        postcode=postcode,
        city=city,
        country=country,
        vat_number=vat_number,
    )
