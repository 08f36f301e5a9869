"""Documents of every VAT case, with the legal texts that they carry: what e-invoices are validated with."""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any, Literal

from msgspec import structs

from billing.domain.documents import Buyer, Document, DocumentLine, Exchange, Mention, Reference
from billing.domain.legal import CODES, mention_codes
from billing.domain.money import charge_cents
from billing.domain.taxation import Category
from tests.builders.documents import BUYER, NOVEMBER, OCTOBER, SELLER, make_credit_note, make_document, make_line

BELGIAN = Buyer(
    organization="orga_belgian",
    organization_name="Brussels",
    company="Bruxelles SA",
    address="1 rue Neuve",
    postcode="1000",
    city="Bruxelles",
    country="BE",
    vat_number="BE0428759497",
    email="pay@bruxelles.example",
)
BELGIAN_CONSUMER = structs.replace(BELGIAN, is_company=False, company="", name="Charlie Peeters", vat_number="")
AMERICAN = structs.replace(BELGIAN, company="Atlas Inc.", country="US", city="Boston", vat_number="", language="en")
MUST_GET_ONE = structs.replace(BUYER, requires_e_invoice=True)
EXCHANGE = Exchange(date(2026, 10, 30), 1_083_700)


@dataclass(frozen=True)
class Case:
    """A way in which VAT is charged; the rates of other countries are none that the French rules know."""

    name: str
    buyer: Buyer
    category: Category = "S"
    rate_bp: int = 20_00
    is_french: bool = True


CASES = (
    Case("France", BUYER),
    Case("French company that must get one", MUST_GET_ONE),
    Case("French consumer", structs.replace(BUYER, is_company=False, siren="", vat_number="", email="c@example.org")),
    Case("Monaco", structs.replace(BUYER, country="MC", postcode="98000", siren="", email="m@example.org")),
    Case("Reunion", structs.replace(BUYER, postcode="97400"), rate_bp=8_50),
    Case("Martinique", structs.replace(BUYER, postcode="97200"), rate_bp=8_50),
    Case("Guadeloupe", structs.replace(BUYER, postcode="97100"), rate_bp=8_50),
    Case("French Guiana", structs.replace(BUYER, postcode="97300"), "O", 0),
    Case("Belgian company", BELGIAN, "AE", 0),
    Case("Greek company", structs.replace(BELGIAN, country="GR", vat_number="EL094014201"), "AE", 0),
    Case("Belgian consumer below the threshold", BELGIAN_CONSUMER),
    Case("Belgian consumer over it", BELGIAN_CONSUMER, rate_bp=21_00, is_french=False),
    Case("Finnish consumer over it", structs.replace(BELGIAN_CONSUMER, country="FI"), rate_bp=25_50, is_french=False),
    Case("United States", AMERICAN, "O", 0),
)


def make_lines(case: Case) -> list[DocumentLine]:
    """A bit of everything: whole and broken quantities, a correction by hand, a discount."""
    lines = [
        make_line(),
        make_line(kind="regularization", net_cents=4_46, period_start=OCTOBER, period_end=NOVEMBER),
        make_line(kind="add_on", name="Premium support", net_cents=33_19, unit_price_micro=49_000_000),
        make_line(
            kind="one_shot", name="Migration", net_cents=1_54, quantity_micro=123_456, unit_price_micro=12_500_000
        ),
        make_line(kind="adjustment", name="Gesture", net_cents=-5_00),
        make_line(kind="discount", name="Loyalty", net_cents=-10_00),
        make_line(kind="discount", net_cents=-1_00),
    ]
    return [
        structs.replace(line, position=position, category=case.category, rate_bp=case.rate_bp)
        for position, line in enumerate(lines, 1)
    ]


def make_of_case(
    case: Case,
    kind: Literal["invoice", "credit_note"] = "invoice",
    *,
    lines: list[DocumentLine] | None = None,
    **changes: Any,
) -> Document:
    """A document of a VAT case, with its legal texts."""
    make = make_credit_note if kind == "credit_note" else make_document
    document = make(lines=make_lines(case) if lines is None else lines, buyer=case.buyer, **changes)
    codes = mention_codes(
        [tax.category for tax in document.taxes],
        country=case.buyer.country,
        postcode=case.buyer.postcode,
        vat_on_debits=document.seller.vat_on_debits,
    )
    assert set(codes) <= set(CODES)
    return structs.replace(document, mentions=tuple(Mention(code, f"Text of {code}.") for code in codes))


def make_random(random: Random) -> tuple[Document, Case]:
    """Any document at all: of any case, with any lines whose sum is not negative."""
    case, kind = random.choice(CASES), random.choice(["invoice", "invoice", "credit_note"])
    lines = [_random_line(random, case, position) for position in range(1, random.choice([2, 4, 9, 60]))]
    billed = sum(line.net_cents for line in lines)
    if billed < 0:
        lines.append(structs.replace(lines[0], position=len(lines) + 1, kind="one_shot", net_cents=-billed))
    elif billed and random.random() < 0.5:
        discount = make_line(kind="discount", net_cents=-random.randint(1, billed), position=len(lines) + 1)
        lines.append(structs.replace(discount, category=case.category, rate_bp=case.rate_bp))
    changes: dict[str, Any] = {
        "seller": structs.replace(
            SELLER,
            vat_on_debits=random.random() < 0.5,
            siren=random.choice(["404833048", "40483304800022"]),
            iban=random.choice([SELLER.iban, ""]),
        ),
        "note": random.choice(["", "Thank you & <b>goodbye</b>", "\x00 控制 \ud800 #PMT# 🎉"]),
    }
    if random.random() < 0.3:
        changes |= {"currency": "USD", "exchange": EXCHANGE}
    if kind == "credit_note":
        return make_of_case(case, "credit_note", lines=lines, refers_to=Reference("F1", OCTOBER), **changes), case
    return make_of_case(case, lines=lines, **changes), case


def _random_line(random: Random, case: Case, position: int) -> DocumentLine:
    quantity = random.choice([1_000_000, random.randint(1, 10**9), random.randint(1, 10**5) * 10_000])
    price = random.choice([0, random.randint(1, 10**9), random.randint(1, 10**5) * 10_000])
    price = -price if random.random() < 0.2 else price
    net = random.choice([charge_cents(quantity, price), random.randint(-10_00, 10**6)])
    name = random.choice(["Support", "L" * 200, "<script>&amp;", "مرحبا", "Żółć", "🎉\x0b", " "])
    return structs.replace(
        make_line(kind=random.choice(["provision", "regularization", "add_on", "one_shot", "adjustment"]), name=name),
        position=position,
        quantity_micro=quantity,
        unit_price_micro=price,
        net_cents=net,
        organization_name=random.choice(["", "Atlas Labs"]),
        category=case.category,
        rate_bp=case.rate_bp,
    )
