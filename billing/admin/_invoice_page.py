"""The words around the figures of an invoice's page."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django_countries import countries

from billing import formatting
from billing.admin import _links as links
from billing.admin._event_words import event_lines
from billing.admin._usage_rows import usage_groups
from billing.domain.quantities import MICRO
from billing.models import CreditEntry, Invoice, InvoiceLine
from billing.queries.invoice_pages import InvoicePage, load_invoice_page
from billing.queries.months import month_of
from billing.queries.parties import Snapshot
from billing.queries.statement_words import statement_rows
from billing.queries.timeline import load_timeline
from billing.queries.wording import line_description

SELF_EXPLAINING = ("provision", "regularization")
LINE_PAGES = {"add_on": "billing.addon", "one_shot": "billing.charge", "custom_service": "billing.charge"}


def invoice_context(request: HttpRequest, invoice: Invoice) -> dict[str, Any]:
    """Load an invoice's page and word it."""
    page = load_invoice_page(
        invoice,
        page=_positive(request.GET.get("details")) or 1,
        organization_id=_positive(request.GET.get("organization")),
    )
    return {
        "invoice": invoice,
        "page": page,
        "currency": invoice.currency,
        "provision_month": month_of(invoice.consumption_month).next.first_day,
        "seller": party_lines(page.seller),
        "buyer": party_lines(page.buyer),
        "lines": [_line(line, invoice) for line in page.lines],
        "taxes": [(tax, _category(tax.category)) for tax in page.taxes],
        "statement_rows": _statement(page),
        "movements": _movements(page),
        "groups": usage_groups(page.usage.groups, page.usage.prices, invoice.consumption_month),
        "only_organization": _positive(request.GET.get("organization")),
        "timeline": event_lines(load_timeline(invoice), currency=invoice.currency),
        "details_pages": page.usage.page.paginator.get_elided_page_range(page.usage.page.number),
        "organization_url": links.invoices_of(invoice.organization_id),
    }


def party_lines(party: Snapshot | Mapping[str, Any]) -> list[str]:
    """Write a seller or buyer as an address block, then what identifies it."""

    def value(name: str) -> str:
        return str(party.get(name) or "").strip()

    town = f"{value('postcode')} {value('city')}".strip()
    country = countries.name(value("country")) if value("country") else ""
    names = [value("company"), value("name")]
    identity = [
        (_("VAT number"), value("vat_number")),
        (_("SIREN"), value("siren")),
        (_("Purchase order"), value("purchase_order")),
        (_("Cost center"), value("cost_center")),
    ]
    block = [*names, *value("address").splitlines(), town, country, value("email")]
    return [line for line in block if line] + [f"{capfirst(label)} {text}" for label, text in identity if text]


def _line(line: InvoiceLine, invoice: Invoice) -> dict[str, Any]:
    page = LINE_PAGES.get(line.kind)
    return {
        "line": line,
        "description": line_description(line),
        "kind": line.get_kind_display() if line.kind not in SELF_EXPLAINING else "",
        "url": formatting.change_url(page, line.source_id) if page and line.source_id else "",
        "organization": line.organization if line.organization_id != invoice.organization_id else None,
        "quantity": formatting.format_number(line.quantity_micro),
        "unit_price": formatting.format_unit_micro(line.unit_price_micro),
        "is_single": line.quantity_micro == MICRO,
    }


def _category(code: str) -> str:
    return {"S": _("standard rate"), "AE": _("reverse charge"), "O": _("outside the scope of VAT")}.get(code, code)


def _statement(page: InvoicePage) -> list[Any]:
    if page.statement is None or page.row is None:
        return []
    return statement_rows(page.statement, fees_cents=page.row.fees_cents, month=page.invoice.consumption_month)


def _movements(page: InvoicePage) -> list[dict[str, Any]]:
    entries: Iterable[CreditEntry] = page.movements.entries if page.movements else ()
    return [
        {"entry": entry, "words": _entry_in_words(entry), "grant": formatting.name_of_grant(entry.grant)}
        for entry in entries
    ]


def _entry_in_words(entry: CreditEntry) -> str:
    grant = entry.grant
    match entry.kind:
        case CreditEntry.Kind.GRANT if grant.sold_by is not None:
            return _("Invoice %(number)s was paid: its credits became usable.") % {"number": grant.sold_by}
        case CreditEntry.Kind.GRANT:
            return _("Credits were granted: %(reason)s.") % {"reason": grant}
        case CreditEntry.Kind.SUSPENSION:
            return _("Invoice %(number)s was unpaid again: what was unused of its credits waits for the payment.") % {
                "number": grant.sold_by
            }
        case CreditEntry.Kind.RETURN:
            return _("Credits that had been used were given back: %(grant)s.") % {"grant": grant}
        case CreditEntry.Kind.EXPIRY if entry.amount_cents > 0:
            return _("An expiry was taken back, its month is closed again: %(grant)s.") % {"grant": grant}
        case CreditEntry.Kind.EXPIRY:
            return _("Credits expired: %(grant)s.") % {"grant": grant}
        case CreditEntry.Kind.REVOCATION:
            return _("Credits were revoked: %(grant)s.") % {"grant": grant}
        case CreditEntry.Kind.REFUND:
            return _("Credits were refunded: %(grant)s.") % {"grant": grant}
    return _("Credits were used: %(grant)s.") % {"grant": grant}


def _positive(text: str | None) -> int | None:
    """A whole number of the address; anything else counts as absent."""
    return int(text) if text and text.isascii() and text.isdecimal() and 0 < int(text) < 2**63 else None
