"""Why an organization has no invoice, in one sentence that says what to do."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.domain.money import format_cents
from billing.models import Meter

type Values = Mapping[str, str | int]

_FIELDS = {
    "name": gettext_lazy("name or company"),
    "address": gettext_lazy("address"),
    "city": gettext_lazy("city"),
    "country": gettext_lazy("country"),
}


def reason_sentence(code: str, values: Values) -> str:
    """The sentence of a reason that the close recorded; an unknown code is shown as it is."""
    sentence = _SENTENCES.get(code)
    return sentence(values) if sentence else code


def _no_price(values: Values) -> str:
    return _(
        "No price in %(currency)s for meter %(meter)s in zone “%(zone)s” on %(day)s: add the price, then close the "
        "month again."
    ) % {
        "currency": values["currency"],
        "meter": _meter(values),
        "zone": values["zone"],
        "day": str(values["day"]),
    }


def _lowered(values: Values) -> str:
    return _(
        "Late usage of meter %(meter)s lowers what %(month)s costs by %(amount)s: it is not on this invoice, the "
        "difference is to be given back."
    ) % {
        "meter": _meter(values),
        "month": values["month"],
        "amount": format_cents(-int(values["difference_cents"])),
    }


def _meter(values: Values) -> str:
    return Meter.objects.filter(pk=values["meter_id"]).values_list("code", flat=True).first() or str(values["meter_id"])


def _incomplete_profile(values: Values) -> str:
    missing = ", ".join(str(_FIELDS[field]) for field in str(values["missing"]).split(", "))
    return _("The billing profile lacks: %(missing)s. Complete it, then close the month again.") % {"missing": missing}


_SENTENCES: dict[str, Callable[[Values], str]] = {
    "no_price": _no_price,
    "late_usage_lowers_amount": _lowered,
    "incomplete_billing_profile": _incomplete_profile,
    "invoice_cancelled": lambda values: (
        _("Its invoice %(number)s was cancelled: close the month again to invoice it anew.") % values
    ),
    "previous_month_not_closed": lambda values: (
        _("%(month)s of %(organization)s is not closed yet: close it first.") % values
    ),
    "previous_month_blocked": lambda values: (
        _("%(month)s of %(organization)s is blocked: unblock and issue it first.") % values
    ),
    "previous_month_draft": lambda values: (
        _("The invoice of %(month)s of %(organization)s is still a draft: issue it first.") % values
    ),
    "month_not_closed": lambda values: _("%(month)s is not closed for it: close it first.") % values,
    "parent_not_open": lambda values: (
        _("The parent of %(organization)s is closed or not open yet: give it another parent, or none.") % values
    ),
    "no_plan_price": lambda values: _("The plan of add-on “%(add_on)s” has no price on %(day)s: add one.") % values,
    "unknown_vat_rate": lambda values: (
        _("No VAT rate is known for country “%(country)s”: check it, or add a rate.") % values
    ),
    "amount_too_large": lambda values: _("The quantities or amounts are too large to be true: check the usage."),
    "issue_refused": lambda values: str(values["sentence"]),
    "unexpected_error": lambda values: _("An unexpected error, recorded in the log: %(error)s") % values,
    "tax_finding": lambda values: _(str(values["finding"])),
    "payer_blocked": lambda values: _("The organization that pays for it is blocked."),
    "no_activity": lambda values: _("No usage and nothing else to bill."),
    "free_usage_only": lambda values: _("Its usage lies within free tiers."),
    "nothing_due": lambda values: _("The discount leaves nothing to bill."),
}
