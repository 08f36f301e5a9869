"""The document as its readers get it: one value for the PDF, the e-invoice, the HTML page and the API.

Amounts are cents with the sign that they are printed with; a credit note's are positive. Nothing here depends on a
language: whoever renders words it. What is paid since is no part of a document: once issued, it never changes.
"""

from datetime import date
from typing import Literal

from msgspec import Struct

from billing.domain.pricing import Price
from billing.domain.statement import CreditStatement
from billing.domain.taxation import Category, TaxSubtotal

type DocumentKind = Literal["invoice", "credit_note"]
type LineKind = Literal["provision", "regularization", "add_on", "one_shot", "custom_service", "adjustment", "discount"]
type Language = Literal["fr", "en"]


class Seller(Struct, frozen=True, kw_only=True):
    """The legal entity as printed (BG-4), and where to pay (BG-17)."""

    name: str
    address: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    vat_number: str = ""
    siren: str = ""  # SIREN or SIRET
    legal_mentions: str = ""
    email: str = ""
    phone: str = ""
    iban: str = ""
    bic: str = ""
    electronic_address: str = ""  # BT-34
    electronic_scheme: str = ""
    vat_on_debits: bool = False  # BT-8
    logo: str = ""  # an SVG image: that of the day of printing, as it is no part of what is frozen


class Buyer(Struct, frozen=True, kw_only=True):
    """The customer as printed (BG-7): the billing profile of the organization that pays."""

    organization: str  # its public identifier
    organization_name: str = ""
    is_company: bool = True
    company: str = ""
    name: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    vat_number: str = ""
    siren: str = ""  # SIREN or SIRET
    email: str = ""
    language: Language = "fr"
    purchase_order: str = ""  # BT-13
    cost_center: str = ""  # BT-19
    electronic_address: str = ""  # BT-49
    electronic_scheme: str = ""
    requires_e_invoice: bool = False

    @property
    def legal_name(self) -> str:
        """Who owes the money (BT-44): the company, or the person."""
        return self.company or self.name


class Reference(Struct, frozen=True):
    """The invoice that a credit note corrects (BG-3)."""

    number: str
    issue_date: date


class DocumentLine(Struct, frozen=True, kw_only=True):
    """A printed line (BG-25), or a discount (kind `discount`, net < 0; BG-20). The period is [start, end)."""

    position: int
    kind: LineKind
    name: str
    organization_name: str = ""  # of the sub-organization that it is for, when it is not the payer
    period_start: date
    period_end: date
    quantity_micro: int
    unit_price_micro: int
    net_cents: int
    category: Category
    rate_bp: int


class UsageLine(Struct, frozen=True, kw_only=True):
    """A line of the usage details: a meter in a zone at one price version; `month` is earlier for late usage."""

    month: date
    meter_code: str
    meter_name: str
    unit: str
    zone: str
    quantity_micro: int
    amount_cents: int
    price: Price | None = None


class ResourceUsage(Struct, frozen=True):
    """What one resource consumed. Its name is that of the time of billing."""

    external_id: str
    name: str
    lines: tuple[UsageLine, ...]

    @property
    def amount_cents(self) -> int:
        """The sum of its lines."""
        return sum(line.amount_cents for line in self.lines)


class OrganizationUsage(Struct, frozen=True):
    """What one organization of the payer's tree consumed, before the discount on consumption."""

    external_id: str
    name: str
    resources: tuple[ResourceUsage, ...]

    @property
    def amount_cents(self) -> int:
        """The sum of its resources."""
        return sum(resource.amount_cents for resource in self.resources)


class Mention(Struct, frozen=True):
    """A text that the law asks for, in the reader's language: PMT, PMD, AAB, or why there is no VAT."""

    code: str
    text: str


class Exchange(Struct, frozen=True):
    """A rate of the European Central Bank: millionths of the document's currency for one euro, on a day."""

    day: date
    per_euro_micro: int


class Document(Struct, frozen=True, kw_only=True):
    """An invoice or credit note, draft or issued, as a whole.

    `consumption_month` and `provision_month` are the first days of these months. A credit note has no statement and
    no usage. The payer's usage comes first, then that of its sub-organizations by name; `usage_discount_cents` (<= 0)
    is the discount on all of it, so usage + discount = `fees_cents`.
    """

    id: int
    kind: DocumentKind
    number: str | None
    consumption_month: date
    provision_month: date
    currency: str
    issue_date: date | None
    due_date: date | None
    seller: Seller
    buyer: Buyer
    note: str
    refers_to: Reference | None
    lines: tuple[DocumentLine, ...]
    taxes: tuple[TaxSubtotal, ...]
    subtotal_cents: int
    vat_cents: int
    total_cents: int
    statement: CreditStatement | None
    fees_cents: int
    regularization_cents: int
    direct_cents: int
    usage: tuple[OrganizationUsage, ...]
    usage_discount_cents: int
    mentions: tuple[Mention, ...] = ()
    exchange: Exchange | None = None  # in force when it is issued; None for euros, and where no rate is known

    @property
    def is_draft(self) -> bool:
        """Whether it has no number yet: its figures may still change."""
        return self.number is None

    @property
    def has_sub_organizations(self) -> bool:
        """Whether more than the payer consumed: the details are then grouped, under a summary."""
        return len(self.usage) > 1


class Rendered(Struct, frozen=True):
    """The files of an issued document: the PDF, which carries the e-invoice, and the e-invoice by itself (CII)."""

    pdf: bytes
    xml: bytes
