"""An invoice in the business terms of EN 16931 (BT, BG), free of any syntax: mapped once, written twice.

Everything is a string as it is written, amounts with two decimals; what is empty or None is not written.
"""

from datetime import date

from msgspec import Struct

PROFILE = "urn:cen.eu:en16931:2017"
"""BT-24: the whole of EN 16931 and nothing else."""


class Identifier(Struct, frozen=True):
    """An identifier, and in which scheme (ISO 6523, or EAS for an electronic address)."""

    value: str
    scheme: str = ""


class Note(Struct, frozen=True):
    """A remark and what it is about, a code of UNTDID 4451 (BG-1)."""

    text: str
    subject: str = ""


class Period(Struct, frozen=True):
    """First and last day, both included (BG-14, BG-26)."""

    first: date
    last: date


class Party(Struct, frozen=True, kw_only=True):
    """Seller or buyer (BG-4 to BG-9)."""

    name: str
    identifier: Identifier | None = None  # BT-29, BT-46: the SIRET
    registration: Identifier | None = None  # BT-30, BT-47: the SIREN
    vat_number: str = ""  # BT-31, BT-48
    electronic_address: Identifier | None = None  # BT-34, BT-49
    address: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    contact: str = ""
    phone: str = ""
    email: str = ""


class Payment(Struct, frozen=True):
    """How to pay (BG-16), and to which account (BG-17)."""

    code: str
    reference: str  # BT-83
    iban: str
    bic: str


class Tax(Struct, frozen=True):
    """A VAT category; the rate is None outside the scope of VAT."""

    category: str
    rate: str | None


class Subtotal(Struct, frozen=True):
    """Base and VAT of one category and rate (BG-23), and why there is no VAT."""

    tax: Tax
    base: str
    vat: str
    reason: str = ""  # BT-120
    reason_code: str = ""  # BT-121


class Allowance(Struct, frozen=True):
    """A discount on the document (BG-20)."""

    amount: str
    tax: Tax
    reason: str
    reason_code: str


class Line(Struct, frozen=True, kw_only=True):
    """An invoice line (BG-25)."""

    id: str
    name: str
    description: str = ""
    quantity: str
    unit_price: str
    net: str
    tax: Tax
    period: Period


class Totals(Struct, frozen=True, kw_only=True):
    """The totals of the document (BG-22)."""

    lines: str
    allowances: str = ""
    net: str
    vat: str
    vat_accounting: str = ""  # BT-111
    gross: str
    due: str


class Preceding(Struct, frozen=True):
    """The invoice that a credit note corrects (BG-3)."""

    number: str
    issue_date: date


class Terms(Struct, frozen=True, kw_only=True):
    """The whole e-invoice."""

    number: str  # BT-1
    issue_date: date  # BT-2
    is_credit_note: bool  # BT-3: 381, otherwise 380
    currency: str  # BT-5
    accounting_currency: str = ""  # BT-6
    vat_due: str = ""  # BT-8, as UNTDID 2475: 5 when invoiced, 72 when paid
    due_date: date | None  # BT-9
    buyer_reference: str = ""  # BT-10
    purchase_order: str = ""  # BT-13
    buyer_account: str = ""  # BT-19
    payment_terms: str = ""  # BT-20
    notes: tuple[Note, ...] = ()
    process: str  # BT-23
    preceding: Preceding | None = None
    seller: Party
    buyer: Party
    deliver_to: str = ""  # BT-70: the organization that is served
    payment: Payment | None = None
    period: Period
    allowances: tuple[Allowance, ...] = ()
    totals: Totals
    subtotals: tuple[Subtotal, ...]
    lines: tuple[Line, ...]
