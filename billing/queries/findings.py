"""What the review of a draft found, in one sentence each."""

from collections.abc import Callable, Mapping

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.formatting import format_amount, format_recorded_day, format_recorded_months
from billing.models import Meter
from billing.queries.e_invoice_words import failure_sentence

type Values = Mapping[str, str | int]


def meter_code(values: Values) -> str:
    """The code of the meter that a reason names; its id when it is gone."""
    if "meter" in values:
        return str(values["meter"])
    return Meter.objects.filter(pk=values["meter_id"]).values_list("code", flat=True).first() or str(values["meter_id"])


def _change(values: Values) -> dict[str, str]:
    """What consumption is compared with, in words."""
    months = int(values["months"])
    recent = ngettext("the month before", "the mean of the %(months)d months before", months) % {"months": months}
    return {
        "own": _amount(values, "own_cents"),
        "mean": _amount(values, "mean_cents"),
        "recent": recent,
        "percent": number_format(values.get("percent", ""), force_grouping=True),
    }


def _jump(values: Values) -> str:
    if "percent" not in values:
        return _("A consumption of %(own)s, after none in %(recent)s: check the usage.") % _change(values)
    return _(
        "A consumption of %(own)s is %(percent)s %% above %(recent)s, %(mean)s: check the usage and the prices."
    ) % _change(values)


def _drop(values: Values) -> str:
    return _(
        "A consumption of %(own)s is %(percent)s %% below %(recent)s, %(mean)s: check that all usage has arrived."
    ) % _change(values)


def _zero(values: Values) -> str:
    return _("No consumption, after %(previous)s in the month before: check that its usage has arrived.") % {
        "previous": _amount(values, "previous_cents")
    }


def _provision(values: Values) -> str:
    return _("A provision of %(refill)s is far above the highest consumption of late, %(highest)s.") % {
        "refill": _amount(values, "refill_cents"),
        "highest": _amount(values, "highest_cents"),
    }


def _refill_expired(values: Values) -> str:
    return _(
        "The negotiated refill of %(refill)s ended on %(until)s and is computed again: agree on another, or remove it."
    ) % {"refill": _amount(values, "refill_cents"), "until": format_recorded_day(values["until"])}


def _late_usage(values: Values) -> str:
    return _("Late usage of %(months)s adds %(amount)s before discounts.") % {
        "months": format_recorded_months(values["months"]),
        "amount": _amount(values, "amount_cents"),
    }


def _price_changed(values: Values) -> str:
    count = int(values["lines"])
    return ngettext(
        "The price of meter %(meter)s changed within the month: %(count)d resource has a usage line for each price.",
        "Prices changed within the month, that of meter %(meter)s for one: %(count)d usage lines are split by price.",
        count,
    ) % {"meter": meter_code(values), "count": count}


def _lowered(values: Values) -> str:
    return _(
        "Late usage of meter %(meter)s lowers what %(month)s costs by %(amount)s: it is not on this invoice, the "
        "difference is to be given back."
    ) % {
        "meter": meter_code(values),
        "month": format_recorded_months(values["month"]),
        "amount": format_amount(-int(values["difference_cents"])),
    }


def _amount(values: Values, name: str) -> str:
    return format_amount(int(values[name]))


FINDINGS: dict[str, Callable[[Values], str]] = {
    "jump": _jump,
    "drop": _drop,
    "zero_after_usage": _zero,
    "first_invoice": lambda values: _("The organization's first invoice: check its terms and its billing details."),
    "late_usage": _late_usage,
    "provision_above_history": _provision,
    "refill_expired": _refill_expired,
    "many_lines": lambda values: _("%(lines)s usage lines, more than the %(most)s that are usual.") % values,
    "price_changed": _price_changed,
    "late_usage_lowers_amount": _lowered,
    "e_invoice": failure_sentence,
    "e_invoice_unchecked": lambda values: _("The e-invoice has not been checked as it is now: that is done shortly."),
    "e_invoice_uncheckable": lambda values: (
        _("The e-invoice could not be checked, %(count)s times by now: the log of the workers says why.") % values
    ),
    "e_invoice_valid": lambda values: _("The e-invoice passes every check."),
    "tax_finding": lambda values: _(str(values["finding"])),
}
