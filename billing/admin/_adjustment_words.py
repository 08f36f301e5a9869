"""What an adjustment does, in a few words for people."""

from collections.abc import Mapping
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _t

from billing import formatting
from billing.models import Adjustment
from billing.queries.adjustments import ListedAdjustment
from billing.queries.reasons import reason_sentence


def conflict_sentence(listed: ListedAdjustment) -> str:
    """What somebody has to decide about an adjustment; nothing when it fits."""
    conflict: Any = listed.conflict
    return "" if conflict is None else reason_sentence(conflict["code"], conflict["values"])


def adjustment_in_words(row: Adjustment, names: Mapping[str, str]) -> str:
    """What an adjustment does, for example "Discount of 15 % on Database migration"."""
    target = names.get(row.target, "")
    match row.kind:
        case Adjustment.Kind.LINE:
            quantity = formatting.format_number(row.quantity_micro or 0)
            price = formatting.format_unit_micro(row.unit_price_micro or 0)
            return f"{row.name}: {quantity} × {price}"
        case Adjustment.Kind.DISCOUNT:
            return _discount_in_words(row, target)
        case Adjustment.Kind.REFILL:
            return _t("Refill of %(amount)s instead of %(computed)s") % {
                "amount": formatting.format_amount(row.amount_cents or 0),
                "computed": formatting.format_amount(row.target_net_cents or 0),
            }
        case Adjustment.Kind.SKIP:
            return _t("%(line)s waits for the next invoice") % {"line": target}
        case Adjustment.Kind.DUE_DATE:
            return _t("Due on %(day)s") % {"day": date_format(row.day, "j F Y") if row.day else ""}
        case Adjustment.Kind.PURCHASE_ORDER:
            return _t("Purchase order %(text)s") % {"text": row.text}
        case _:
            return _t("Note to the customer: %(text)s") % {"text": row.text}


def _discount_in_words(row: Adjustment, target: str) -> str:
    if row.percent_ppm is not None:
        size = formatting.format_percent(row.percent_ppm, 1_000_000)
    else:
        size = formatting.format_amount(row.amount_cents or 0)
    if not target:
        return _t("Discount of %(size)s on everything but the provision") % {"size": size}
    return _t("Discount of %(size)s on %(line)s") % {"size": size, "line": target}
