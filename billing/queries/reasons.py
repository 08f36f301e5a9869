"""Why an organization has no invoice, or why its draft is not issued, in one sentence that says what to do."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.formatting import format_amount, format_recorded_day, format_recorded_months
from billing.queries.findings import FINDINGS, Values, meter_code

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


def _with_month(sentence: str, values: Values) -> str:
    """A sentence that names the month of its values."""
    return sentence % {**values, "month": format_recorded_months(values["month"])}


def _no_price(values: Values) -> str:
    return _(
        "No price in %(currency)s for meter %(meter)s in zone “%(zone)s” on %(day)s: add the price, then close the "
        "month again."
    ) % {
        "currency": values["currency"],
        "meter": meter_code(values),
        "zone": values["zone"],
        "day": format_recorded_day(values["day"]),
    }


def _then_and_now(sentence: str, values: Values) -> str:
    return sentence % {"then": format_amount(int(values["then_cents"])), "now": format_amount(int(values["now_cents"]))}


def missing_fields(values: Values) -> str:
    """Name what an incomplete billing profile lacks."""
    return ", ".join(str(_FIELDS[field]) for field in str(values["missing"]).split(", "))


def _incomplete_profile(values: Values) -> str:
    return _("The billing profile lacks: %(missing)s. Complete it, then close the month again.") % {
        "missing": missing_fields(values)
    }


def _needs_approval(values: Values) -> str:
    if values["rule"] == "bulk_count":
        return _("A second person has to approve issuing %(count)s invoices at once (from %(from_count)s on).") % values
    amounts = {name: format_amount(int(values[name])) for name in ("cents", "from_cents")}
    match values["rule"]:
        case "manual_line":
            return _("A second person has to approve %(cents)s added by hand (from %(from_cents)s on).") % amounts
        case "discount":
            return _("A second person has to approve a discount of %(cents)s (from %(from_cents)s on).") % amounts
        case "given_credits":
            return (
                _("A second person has to approve using %(cents)s of credits given by hand (from %(from_cents)s on).")
                % amounts
            )
        case "credit_note":
            return _("A second person has to approve a credit note of %(cents)s (from %(from_cents)s on).") % amounts
    return _("A second person has to approve a total of %(cents)s (from %(from_cents)s on).") % amounts


def _open_findings(values: Values) -> str:
    count = int(values["count"])
    return ngettext(
        "%(count)d finding is open: acknowledge or mend it first.",
        "%(count)d findings are open: acknowledge or mend them first.",
        count,
    ) % {"count": count}


def _e_invoice_invalid(values: Values) -> str:
    count = int(values["count"])
    return ngettext(
        "Its e-invoice has %(count)d error, see its page: mend it first.",
        "Its e-invoice has %(count)d errors, see its page: mend them first.",
        count,
    ) % {"count": count}


_SENTENCES: dict[str, Callable[[Values], str]] = {
    **FINDINGS,
    "on_hold": lambda values: _("It is on hold: %(reason)s") % values,
    "open_findings": _open_findings,
    "e_invoice_not_checked": lambda values: _(
        "Its e-invoice has not been checked as it is now, which takes a minute or two: issue it then."
    ),
    "e_invoice_invalid": _e_invoice_invalid,
    "needs_approval": _needs_approval,
    "approval_void": lambda values: _(
        "It has changed since it was approved: close the month again, then have it approved anew."
    ),
    "approved_by_issuer": lambda values: _("You approved it yourself: somebody else has to issue it."),
    "no_price": _no_price,
    "incomplete_billing_profile": _incomplete_profile,
    "invoice_cancelled": lambda values: (
        _("Its invoice %(number)s was cancelled: close the month again to invoice it anew.") % values
    ),
    "previous_month_not_closed": lambda values: _with_month(
        _("%(month)s of %(organization)s is not closed yet: close it first."), values
    ),
    "previous_month_blocked": lambda values: _with_month(
        _("%(month)s of %(organization)s is blocked: unblock and issue it first."), values
    ),
    "previous_month_draft": lambda values: _with_month(
        _("The invoice of %(month)s of %(organization)s is still a draft: issue it first."), values
    ),
    "month_not_closed": lambda values: _with_month(_("%(month)s is not closed for it: close it first."), values),
    "parent_not_open": lambda values: (
        _("The parent of %(organization)s is closed or not open yet: give it another parent, or none.") % values
    ),
    "no_plan_price": lambda values: (
        _("The plan of add-on “%(add_on)s” has no price on %(day)s: add one.")
        % {**values, "day": format_recorded_day(values["day"])}
    ),
    "unknown_vat_rate": lambda values: (
        _("No VAT rate is known for country “%(country)s”: check it, or add a rate.") % values
    ),
    "amount_too_large": lambda values: _("The quantities or amounts are too large to be true: check the usage."),
    "author_may_not_issue": lambda values: _("Who asked for it may not issue invoices any more."),
    "issue_date_overtaken": lambda values: (
        _("The issue date %(day)s lies before %(last)s, the last one of the series: issue with a later date.")
        % {"day": format_recorded_day(values["day"]), "last": format_recorded_day(values["last"])}
    ),
    "issue_refused": lambda values: str(values["sentence"]),
    "unexpected_error": lambda values: _("An unexpected error, recorded in the log: %(error)s") % values,
    "payer_blocked": lambda values: _("The organization that pays for it is blocked."),
    "no_activity": lambda values: _("No usage and nothing else to bill."),
    "free_usage_only": lambda values: _("Its usage lies within free tiers."),
    "skipped_by_hand": lambda values: _(
        "Everything that there was to bill waits for the next invoice, skipped by hand."
    ),
    "adjustment_line_gone": lambda values: _then_and_now(
        _("The line of %(then)s under an adjustment is gone: keep the adjustment or undo it."), values
    ),
    "adjustment_line_changed": lambda values: _then_and_now(
        _("The line under an adjustment was %(then)s and is %(now)s now: keep the adjustment or undo it."), values
    ),
    "adjustment_exceeds": lambda values: _then_and_now(
        _("A discount of %(then)s has only %(now)s left to be taken off: undo it, then give a smaller one."), values
    ),
    "due_date_before_issue": lambda values: (
        _("Its due date %(day)s lies before the issue date: undo that adjustment, or set a later day.")
        % {"day": format_recorded_day(values["day"])}
    ),
    "nothing_due": lambda values: _("The discount leaves nothing to bill."),
}
