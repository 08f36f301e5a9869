"""An invoice or credit note as HTML, from the same words as the PDF: a part of a page, or a page of its own.

Usage details may come page by page: with thousands of them a browser would be busy for seconds.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import segno
from django.core.paginator import Page, Paginator
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString
from msgspec import structs

from billing.documents import _figures as figures
from billing.documents import _print_usage as usage_words
from billing.documents._print_summary import print_payment
from billing.documents.printed import OrganizationRows, Payment, Printed, Usage
from billing.documents.printing import print_document
from billing.domain.documents import Document, Language, OrganizationUsage, ResourceUsage, UsageLine

DETAILS_PER_PAGE = 200

type _Detail = tuple[OrganizationUsage, ResourceUsage, UsageLine]


@dataclass(frozen=True)
class HtmlDocument:
    """A document worded for a page; `details` is the page of usage details that it has, None when it has all."""

    printed: Printed
    details: Page[_Detail] | None

    @property
    def body(self) -> SafeString:
        """Its sections, below a heading that the page around it has; styled by document.css and portal.css."""
        return self._render("documents/body.html")

    @property
    def body_without_payment(self) -> SafeString:
        """The same for a page that says itself how to pay."""
        return self._render("documents/body.html", hides_payment=True)

    @property
    def page(self) -> SafeString:
        """A whole page, with how to pay."""
        return self._render("documents/invoice.html")

    def _render(self, template: str, *, hides_payment: bool = False) -> SafeString:
        printed = self.printed
        context = {
            "printed": printed,
            "parties": (printed.seller, printed.buyer),
            "details": self.details,
            "logo": _image(printed.logo),
            "code": code_svg(printed.payment.transfer_code) if printed.payment else "",
            "hides_payment": hides_payment,
        }
        with translation.override(printed.language):
            return render_to_string(template, context)


def html_document(
    document: Document,
    *,
    language: Language | None = None,
    details_page: int | str | None = None,
    due_note: str | None = None,
) -> HtmlDocument:
    """Word a document in a language (the buyer's by default), with one page of its usage details or with all of them.

    Sums are always those of the whole document. `due_note` stands beside the amount to pay instead of the day on which
    it was due: what became of it since.
    """
    language = language or document.buyer.language
    shown, page = (document, None) if details_page is None else _cut(document, details_page)
    printed = print_document(shown, language)
    if due_note is not None:
        printed = structs.replace(printed, due_note=due_note)
    if page is None:
        return HtmlDocument(printed, None)
    if printed.usage is not None and page.has_other_pages():
        with translation.override(language):
            printed = structs.replace(printed, usage=_with_whole_sums(printed.usage, document))
    return HtmlDocument(printed, page if page.has_other_pages() else None)


@dataclass(frozen=True)
class HowToPay:
    """What is left to pay of an invoice, and the code with which a bank's app fills in the transfer."""

    payment: Payment
    code: SafeString | str


def how_to_pay(document: Document, *, left_cents: int, is_late: bool = False, language: Language) -> HowToPay | None:
    """Say how to pay what is left of an invoice, which is less than its total once a part is paid or credited.

    Nobody can pay by a day that is over: of what is late only the amount is asked for.
    """
    left = structs.replace(document, total_cents=left_cents, due_date=None if is_late else document.due_date)
    with translation.override(language):
        payment = print_payment(left) if left_cents > 0 else None
    return None if payment is None else HowToPay(payment, code_svg(payment.transfer_code))


def _image(svg: str) -> str:
    """An SVG image as an address: as an image it runs nothing, whatever it holds."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}" if svg else ""


def code_svg(text: str) -> SafeString | str:
    """Draw the QR code of a transfer, if there is one; to name it is for the page around it."""
    if not text:
        return ""
    code = segno.make(text, error="m", micro=False)
    return SafeString(code.svg_inline(omitsize=True, border=3, light="#fff", svgclass="code"))


def _cut(document: Document, number: int | str) -> tuple[Document, Page[_Detail]]:
    """The document with only one page of its usage details."""
    details = [
        (organization, resource, line)
        for organization in document.usage
        for resource in organization.resources
        for line in resource.lines
    ]
    page = Paginator(details, DETAILS_PER_PAGE).get_page(number)
    if not page.has_other_pages():
        return document, page
    return structs.replace(document, usage=_grouped(list(page.object_list))), page


def _grouped(details: Sequence[_Detail]) -> tuple[OrganizationUsage, ...]:
    # By identity: comparing values would compare all their lines, line after line.
    organizations = []
    for _, of_organization in groupby(details, key=lambda detail: id(detail[0])):
        rows = list(of_organization)
        resources = [list(each) for _, each in groupby(rows, key=lambda detail: id(detail[1]))]
        cut = tuple(structs.replace(each[0][1], lines=tuple(line for _, _, line in each)) for each in resources)
        organizations.append(structs.replace(rows[0][0], resources=cut))
    return tuple(organizations)


def _with_whole_sums(usage: Usage, document: Document) -> Usage:
    """What a page leaves out still counts in the sums around it."""
    whole = {each.external_id: each for each in document.usage}
    return structs.replace(
        usage,
        summary=usage_words._summary(document) if usage_words._is_grouped(document) else (),
        organizations=tuple(_whole(rows, whole[rows.id]) for rows in usage.organizations),
        totals=usage_words._totals(document),
    )


def _whole(rows: OrganizationRows, usage: OrganizationUsage) -> OrganizationRows:
    amounts = {(each.external_id, each.name or each.external_id): each.amount_cents for each in usage.resources}
    resources = tuple(
        structs.replace(each, amount=figures.amount(amounts[each.id, each.name])) for each in rows.resources
    )
    return structs.replace(rows, resources=resources, amount=figures.amount(usage.amount_cents))
