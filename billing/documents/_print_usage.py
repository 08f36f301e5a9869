"""The third section in words: what was consumed, by organization, resource and meter."""

from datetime import date

from django.utils.translation import gettext as _

from billing import formatting
from billing.documents import _figures as figures
from billing.documents.printed import Field, OrganizationRows, ResourceRows, Total, Usage, UsageRow
from billing.domain.documents import Document, OrganizationUsage, ResourceUsage, UsageLine
from billing.queries.price_words import price_in_words


def print_usage(document: Document) -> Usage | None:
    """Word the usage details; None where nothing was consumed."""
    if not document.usage:
        return None
    month = formatting.format_month(document.consumption_month)
    return Usage(
        heading=_("Usage details"),
        introduction=_("What was consumed in %(month)s, in %(currency)s excluding VAT.")
        % {"month": month, "currency": document.currency},
        columns=(_("Meter"), _("Zone"), _("Quantity"), _("Unit price"), _("Amount")),
        summary_heading=_("Fees per organization"),
        summary_columns=(_("Organization"), _("Amount")),
        summary=_summary(document) if _is_grouped(document) else (),
        organizations=tuple(_organization(usage, document.consumption_month) for usage in document.usage),
        totals=_totals(document),
    )


def _is_grouped(document: Document) -> bool:
    """Whether anybody but the payer consumed, be it a single sub-organization."""
    return document.has_sub_organizations or document.usage[0].external_id != document.buyer.organization


def _summary(document: Document) -> tuple[Field, ...]:
    return tuple(Field(_name(usage), figures.amount(usage.amount_cents)) for usage in document.usage)


def _totals(document: Document) -> tuple[Total, ...]:
    fees = Total(_("Fees (consumption U)"), figures.amount(document.fees_cents), strong=True)
    if not document.usage_discount_cents:
        return (fees,)
    consumed_cents = sum(usage.amount_cents for usage in document.usage)
    return (
        Total(_("Consumption before discount"), figures.amount(consumed_cents)),
        Total(_("Discount on consumption"), figures.amount(document.usage_discount_cents)),
        fees,
    )


def _organization(usage: OrganizationUsage, month: date) -> OrganizationRows:
    resources = tuple(_resource(resource, month) for resource in usage.resources)
    return OrganizationRows(_name(usage), usage.external_id, resources, figures.amount(usage.amount_cents))


def _name(usage: OrganizationUsage) -> str:
    return usage.name or usage.external_id


def _resource(resource: ResourceUsage, month: date) -> ResourceRows:
    rows = tuple(_usage_row(line, month) for line in resource.lines)
    return ResourceRows(
        resource.name or resource.external_id, resource.external_id, rows, figures.amount(resource.amount_cents)
    )


def _usage_row(line: UsageLine, month: date) -> UsageRow:
    meter = line.meter_name or line.meter_code
    if line.month != month:
        meter = _("%(name)s, %(month)s") % {"name": meter, "month": formatting.format_month(line.month)}
    return UsageRow(
        meter=meter,
        zone=line.zone,
        quantity=figures.quantity(line.quantity_micro, line.unit),
        unit_price=price_in_words(line.price, line.unit) if line.price else "",
        amount=figures.amount(line.amount_cents),
    )
