"""A document worded in its reader's language: nothing but text, in the order in which it is printed.

`printing.print_document` makes it; the PDF and the HTML page lay it out.
"""

from msgspec import Struct

from billing.domain.documents import DocumentKind, Language


class Field(Struct, frozen=True):
    """A labelled text: "Due date", "5 December 2026"."""

    label: str
    value: str


class Party(Struct, frozen=True):
    """Seller or buyer: the name, the lines of the address, and what identifies it."""

    heading: str
    name: str
    address: tuple[str, ...]
    details: tuple[Field, ...]


class PrintedLine(Struct, frozen=True):
    """A line that bills or discounts; `detail` says its days and the sub-organization that it is for."""

    kind: str
    description: str
    detail: str
    quantity: str
    unit_price: str
    vat: str
    net: str


class Lines(Struct, frozen=True):
    """What is billed. `columns`: description, quantity, unit price, VAT, net; `empty` is printed when there is none."""

    heading: str
    columns: tuple[str, str, str, str, str]
    rows: tuple[PrintedLine, ...]
    empty: str


class TaxRow(Struct, frozen=True):
    """VAT of one category and rate: "VAT 20 %", or why there is none; the base that it is computed on."""

    label: str
    base: str
    vat: str


class Total(Struct, frozen=True):
    """A labelled amount; `strong` for the one that counts."""

    label: str
    amount: str
    strong: bool = False


class Payment(Struct, frozen=True):
    """How to pay what is due: a sentence, the bank account, and the text of a QR code for a transfer (or "")."""

    heading: str
    sentence: str
    fields: tuple[Field, ...]
    transfer_code: str
    transfer_code_label: str


class StatementRow(Struct, frozen=True):
    """One letter of the credit statement with its formula and a sentence that explains it."""

    letter: str
    label: str
    formula: str
    amount: str
    sentence: str
    strong: bool


class Reading(Struct, frozen=True):
    """One way of adding up the subtotal; the last row is the sum."""

    heading: str
    rows: tuple[Total, ...]


class Statement(Struct, frozen=True):
    """How credits evolved, and the two readings of the subtotal, which always agree.

    `columns`: letter, what, amount.
    """

    heading: str
    introduction: str
    columns: tuple[str, str, str]
    rows: tuple[StatementRow, ...]
    readings: tuple[Reading, Reading]


class UsageRow(Struct, frozen=True):
    """A meter in a zone at one price; late usage names its month in `meter`."""

    meter: str
    zone: str
    quantity: str
    unit_price: str
    amount: str


class ResourceRows(Struct, frozen=True):
    """What one resource consumed."""

    name: str
    id: str
    rows: tuple[UsageRow, ...]
    amount: str


class OrganizationRows(Struct, frozen=True):
    """What one organization consumed; the heading is its name."""

    name: str
    id: str
    resources: tuple[ResourceRows, ...]
    amount: str


class Usage(Struct, frozen=True):
    """The usage details. `columns`: meter, zone, quantity, unit price, amount.

    `summary` (fees per organization) is empty unless there are sub-organizations. `totals` ends with the fees U.
    """

    heading: str
    introduction: str
    columns: tuple[str, str, str, str, str]
    summary_heading: str
    summary_columns: tuple[str, str]
    summary: tuple[Field, ...]
    organizations: tuple[OrganizationRows, ...]
    totals: tuple[Total, ...]


class Printed(Struct, frozen=True, kw_only=True):
    """A whole document in one language; what there is nothing to say in is "".

    `logo` is an SVG image. `footer` is the seller's legal mentions, printed on every page; `mentions` are the texts
    that the law asks for.
    """

    language: Language
    kind: DocumentKind
    is_draft: bool
    title: str
    subtitle: str
    watermark: str
    facts: tuple[Field, ...]
    logo: str
    seller: Party
    buyer: Party
    currency: str
    lines: Lines
    taxes: tuple[TaxRow, ...]
    tax_columns: tuple[str, str, str]
    subtotal: Total
    vat: Total
    euro_vat: Total | None
    total: Total
    due: Total
    due_note: str
    payment: Payment | None
    statement: Statement | None
    usage: Usage | None
    note_heading: str
    note: str
    mentions_heading: str
    mentions: tuple[str, ...]
    footer: str
    page_label: str
