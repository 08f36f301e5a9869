"""How a usage amount came about: records, quantity, price version, packages, tiers, rounding."""

from decimal import Decimal
from fractions import Fraction

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import formatting
from billing.admin import _links as links
from billing.admin._explanation import Explanation, Step
from billing.domain.rating import Slice
from billing.models import Price, UsageDetail
from billing.queries.explanations import DetailBehind, consumption_cents, load_detail
from billing.queries.price_words import localized, per_unit

DIGITS = 10


def explain_detail(detail: UsageDetail) -> Explanation:
    """Explain one line of the usage details."""
    title = _("Discount on consumption") if detail.meter is None else f"{detail.meter.name} · {detail.resource_name}"
    behind = load_detail(detail)
    if behind is None:
        base = formatting.format_amount(consumption_cents(detail.invoice))
        return Explanation(
            title,
            detail.amount_cents,
            [Step(_("The whole consumption"), base), Step(_("Percentage of the whole consumption, rounded once"))],
        )
    steps = [*_measured(behind), _price(behind.price), *_tiers(behind), *_rounded(behind)]
    return Explanation(title, detail.amount_cents, steps)


def _measured(behind: DetailBehind) -> list[Step]:
    detail, records = behind.detail, behind.records
    unit = detail.meter.unit if detail.meter else ""
    number = ngettext("%(number)d usage record", "%(number)d usage records", records.number) % {
        "number": records.number
    }
    span = ""
    if records.first_start and records.last_end:
        span = f"{_instant(records.first_start)} – {_instant(records.last_end)}"
    steps = [
        Step(
            number,
            formatting.format_quantity(records.quantity_micro, unit),
            span,
            links.usage_behind(detail, behind.price),
        )
    ]
    steps += [
        Step(
            _("Billed before on %(invoice)s") % {"invoice": other.invoice},
            formatting.format_quantity(other.quantity_micro, unit),
            _("for %(amount)s") % {"amount": formatting.format_amount(other.amount_cents)},
            formatting.change_url("billing.invoice", other.invoice_id),
        )
        for other in behind.others
    ]
    whole = formatting.format_quantity(behind.whole_quantity_micro, unit)
    label = _("Quantity of the line, all of it") if behind.others else _("Quantity")
    steps.append(Step(label, whole, _("Of one resource, meter, zone and price version in the month.")))
    if behind.rated.billed_quantity_micro != behind.whole_quantity_micro:
        rounded = formatting.format_quantity(behind.rated.billed_quantity_micro, unit)
        steps.append(Step(_("Rounded up to whole packages"), rounded))
    return steps


def _price(price: Price) -> Step:
    owner = _("negotiated with %(name)s") % {"name": price.organization} if price.organization else _("catalogue")
    zone = _("zone %(zone)s") % {"zone": price.zone} if price.zone else _("any zone")
    since = _("from %(day)s") % {"day": _instant(price.valid_from)} if price.valid_from else _("from ever")
    until = _("until %(day)s") % {"day": _instant(price.valid_to)} if price.valid_to else ""
    mode = price.get_mode_display() if price.tiers.count() > 1 else ""
    note = " · ".join(str(part) for part in (owner, zone, since, until, mode) if part)
    unit = price.meter.unit
    return Step(
        _("Price version"),
        f"{price.currency} {per_unit(price, unit)}",
        note,
        formatting.change_url("billing.price", price.pk),
    )


def _tiers(behind: DetailBehind) -> list[Step]:
    unit = behind.price.meter.unit
    return [_tier(piece, behind.price, unit) for piece in behind.rated.slices]


def _tier(piece: Slice, price: Price, unit: str) -> Step:
    quantity = formatting.format_quantity(piece.quantity_micro, unit)
    label = _("%(quantity)s × %(price)s %(per)s") % {
        "quantity": quantity,
        "price": localized(piece.unit_price),
        "per": per_unit(price, unit),
    }
    if piece.from_micro == 0 and piece.to_micro is None:
        bounds = ""
    elif piece.to_micro is None:
        bounds = _("above %(lower)s %(unit)s") % {"lower": formatting.format_number(piece.from_micro), "unit": unit}
    else:
        bounds = _("up to %(upper)s %(unit)s") % {"upper": formatting.format_number(piece.to_micro), "unit": unit}
    return Step(label, exact(piece.amount), bounds)


def _rounded(behind: DetailBehind) -> list[Step]:
    rated = behind.rated
    total = sum((piece.amount for piece in rated.slices), Fraction(0))
    steps = [
        Step(
            _("Rounded once, half away from zero"),
            formatting.format_amount(rated.amount_cents),
            _("from %(amount)s") % {"amount": exact(total)},
        )
    ]
    before_cents = sum(other.amount_cents for other in behind.others)
    if behind.others:
        difference = _("%(whole)s less %(before)s that was billed before") % {
            "whole": formatting.format_amount(rated.amount_cents),
            "before": formatting.format_amount(before_cents),
        }
        steps.append(Step(_("Billed now"), formatting.format_amount(rated.amount_cents - before_cents), difference))
    return steps


def exact(amount: Fraction) -> str:
    """Write an exact amount with up to ten decimals, and an ellipsis when there are more."""
    digits = amount * 10**DIGITS
    shown = Decimal(int(digits)).scaleb(-DIGITS)
    text = number_format(shown.normalize() if shown else Decimal(0), None, use_l10n=True, force_grouping=True)
    return text if digits.denominator == 1 else f"{text}…"


def _instant(instant: object) -> str:
    return date_format(localtime(instant), "SHORT_DATETIME_FORMAT")  # type: ignore[arg-type]  # a datetime
