"""Documents as their readers get them, without a database: the invoice of an October with a bit of everything."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec import structs

from billing.domain.documents import (
    Buyer,
    Document,
    DocumentLine,
    Mention,
    OrganizationUsage,
    Reference,
    ResourceUsage,
    Seller,
    UsageLine,
)
from billing.domain.money import vat_cents
from billing.domain.pricing import Price
from billing.domain.quantities import MICRO
from billing.domain.statement import CreditStatement
from billing.domain.taxation import TaxSubtotal
from tests.builders.facts import make_price

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)

SELLER = Seller(
    name="Nuage Clair SAS",
    address="3 rue de l'Allier",
    postcode="44000",
    city="Nantes",
    country="FR",
    vat_number="FR83404833048",
    siren="404833048",
    legal_mentions="SAS au capital de 100 000 € · RCS Nantes 404 833 048",
    email="billing@nuage.example",
    phone="+33 2 00 00 00 00",
    iban="FR7630006000011234567890189",
    bic="AGRIFRPP",
)
BUYER = Buyer(
    organization="orga_atlas",
    organization_name="Atlas",
    company="Atlas SAS",
    name="Alice Martin",
    address="1 rue du Joli Cœur",
    postcode="54000",
    city="Nancy",
    country="FR",
    vat_number="FR40303265045",
    siren="303265045",
    language="en",
)
PUBLISHED_STATEMENT = CreditStatement(
    free_balance_cents=0,
    prepaid_balance_cents=691_35,
    used_free_cents=0,
    expired_cents=0,
    used_prepaid_cents=-686_89,
    estimate_cents=-686_89,
    pending_cents=0,
    refill_cents=682_43,
)


def make_line(**changes: Any) -> DocumentLine:
    """The provision of the published statement; a changed net amount is one piece of that price."""
    net_cents = changes.get("net_cents", 682_43)
    line = DocumentLine(
        position=1,
        kind="provision",
        name="",
        period_start=NOVEMBER,
        period_end=DECEMBER,
        quantity_micro=MICRO,
        unit_price_micro=net_cents * 10_000,
        net_cents=net_cents,
        category="S",
        rate_bp=20_00,
    )
    return structs.replace(line, **changes)


def make_usage_line(**changes: Any) -> UsageLine:
    """686.89 hours at 1.00 in one go."""
    line = UsageLine(
        month=OCTOBER,
        meter_code="app.s",
        meter_name="Application S",
        unit="second",
        zone="par",
        quantity_micro=68_689 * 36 * MICRO,
        amount_cents=686_89,
        price=make_hourly_price(),
    )
    return structs.replace(line, **changes)


def make_hourly_price(unit_price: str = "1") -> Price:
    """A price per hour."""
    return structs.replace(make_price(unit_price=unit_price), per_quantity_micro=3600 * MICRO)


def make_usage(*lines: UsageLine, external_id: str = "orga_atlas", name: str = "Atlas") -> OrganizationUsage:
    """All lines by one resource of one organization."""
    return OrganizationUsage(external_id, name, (ResourceUsage("app_1", "api-prod", lines or (make_usage_line(),)),))


def make_document(
    *, lines: Sequence[DocumentLine] | None = None, statement: CreditStatement | None = PUBLISHED_STATEMENT, **rest: Any
) -> Document:
    """An issued invoice whose taxes and totals are those of its lines; `rest` replaces whatever else it says."""
    lines = (make_line(),) if lines is None else tuple(lines)
    bases: dict[tuple[Any, int], int] = {}
    for line in lines:
        group = line.category, line.rate_bp
        bases[group] = bases.get(group, 0) + line.net_cents
    bases = bases or {("S", 20_00): 0}
    taxes = tuple(TaxSubtotal(*group, base, vat_cents(base, group[1])) for group, base in sorted(bases.items()))
    subtotal, vat = sum(line.net_cents for line in lines), sum(tax.vat_cents for tax in taxes)
    document = Document(
        id=1,
        kind="invoice",
        number="F20261102-000042",
        consumption_month=OCTOBER,
        provision_month=NOVEMBER,
        currency="EUR",
        issue_date=date(2026, 11, 2),
        due_date=date(2026, 12, 2),
        seller=SELLER,
        buyer=BUYER,
        note="",
        refers_to=None,
        lines=lines,
        taxes=taxes,
        subtotal_cents=subtotal,
        vat_cents=vat,
        total_cents=subtotal + vat,
        statement=statement,
        fees_cents=686_89,
        regularization_cents=0,
        direct_cents=sum(line.net_cents for line in lines if line.kind not in ("provision", "regularization")),
        usage=(make_usage(),),
        usage_discount_cents=0,
        mentions=(Mention("PMD", "Late payment: three times the legal interest rate."),),
    )
    return structs.replace(document, **rest)


def make_credit_note(**changes: Any) -> Document:
    """A credit note of that invoice, for all of it."""
    values: dict[str, Any] = {
        "kind": "credit_note",
        "number": "A20261110-000003",
        "issue_date": date(2026, 11, 10),
        "due_date": None,
        "statement": None,
        "fees_cents": 0,
        "usage": (),
        "refers_to": Reference("F20261102-000042", date(2026, 11, 2)),
    }
    return make_document(**(values | changes))
