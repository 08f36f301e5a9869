"""Events in words: one sentence for each kind, and what it changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing import formatting
from billing.admin._adjustment_words import adjustment_in_words
from billing.models import Adjustment, Event
from billing.models._invoices import PAYMENT_STATES
from billing.queries.reasons import reason_sentence
from billing.queries.target_names import name_of_key
from organizations.models import BillingProfile

SENTENCES: Mapping[str, Any] = {
    "invoice.issued": pgettext_lazy("event", "Issued"),
    "invoice.cancelled": _("Cancelled, to be invoiced again"),
    "invoice.approved": _("Approved"),
    "invoice.held": pgettext_lazy("event", "Put on hold"),
    "invoice.hold_released": _("Taken off hold"),
    "invoice.payment_held": _("Its payment was put on hold"),
    "invoice.payment_resumed": _("Its payment was resumed"),
    "invoice.written_off": _("Written off"),
    "invoice.write_off_taken_back": _("The write-off was taken back"),
    "finding.acknowledged": _("A finding was acknowledged"),
    "adjustment.added": _("Adjusted by hand"),
    "adjustment.undone": _("An adjustment was undone"),
    "adjustment.confirmed": _("An adjustment was confirmed against the changed line"),
    "credit_note.prepared": _("A credit note was prepared"),
    "credit_note.approved": _("The credit note was approved"),
    "credit_note.discarded": _("A credit note was discarded"),
    "credit_note.issued": _("A credit note was issued"),
    "usage.given_back": _("Late usage made a month cheaper: the difference was given back"),
    "billing_details.changed": _("A member changed the billing details"),
    "account.settled": _("The closed account was settled"),
    "payment.recorded": _("A payment was recorded"),
    "payment.allocated": _("A payment settles it"),
    "payment.refunded": _("A payment was refunded"),
    "payment.charged_back": _("The bank took a payment back"),
    "allocation.undone": _("A payment no longer settles it"),
    "bulk_job.started": _("Bulk work was started"),
    "bulk_job.approved": _("Bulk work was approved"),
    "bulk_job.refused": _("Bulk work was refused"),
    "portal.seen": _("The portal was seen as this organization"),
    "documents.retried": _("Files that could not be made were tried again"),
    "mail.sent": pgettext_lazy("event", "Sent by e-mail"),
    "mail.failed": _("An e-mail could not be sent"),
    "mail.unclear": _("Nobody knows whether an e-mail arrived"),
    "mail.nobody": _("There is nobody to send it to by e-mail"),
    "mail.queued": _("It is to be sent by e-mail"),
    "mail.retried": _("An e-mail is tried again"),
    "mail.given_up": _("An e-mail was given up"),
    "api_key.created": _("An API key was made"),
    "api_key.revoked": _("An API key was revoked"),
    "invoice.overdue": _("It became overdue"),
    "organization.suspend": _("Services are to be suspended until it is paid"),
    "webhook.created": _("A webhook was made"),
    "webhook.enabled": _("A webhook was switched on"),
    "webhook.disabled": _("A webhook was switched off"),
    "webhook.secret_rotated": _("A webhook got another secret"),
    "webhook.resent": _("Messages to a webhook are sent again"),
    "list.exported": _("A list was exported"),
    "list.imported": _("A list was imported"),
}
STATES = dict(PAYMENT_STATES)
# Values that are named as they are, in this order.
NAMED = (
    "number",
    "payment",
    "refund",
    "refers_to",
    "target",
    "name",
    "text",
    "day",
    "date",
    "month",
    "model",
    "recipient",
)


@dataclass(frozen=True)
class EventLine:
    """An event as a timeline shows it."""

    event: Event
    sentence: str
    details: str


def event_lines(events: Iterable[Event], *, currency: str = "") -> list[EventLine]:
    """Word some events of a document in this currency."""
    return [EventLine(event, sentence_of(event), details_of(event, currency=currency)) for event in events]


def sentence_of(event: Event) -> str:
    """What happened; a kind without words is shown as it is."""
    return str(SENTENCES.get(event.kind, event.kind))


def details_of(event: Event, *, currency: str = "") -> str:
    """What it was about, and what it changed from and to; `currency` where the event itself names none."""
    values = event.values
    if event.kind == "finding.acknowledged":
        return reason_sentence(str(values["code"]), values["values"])
    if event.kind == "billing_details.changed":
        return _details(values["before"], values["after"])
    if "adjustment" in values:
        parts = [_adjustment(values)]
    else:
        parts = [_named(name, values[name]) for name in NAMED if values.get(name)]
    currency = str(values.get("currency", currency))
    cents = values.get("cents", values.get("total_cents"))
    if isinstance(cents, int):
        parts.append(_amount(cents, currency))
    if isinstance(values.get("organizations"), int):
        parts.append(_t("%(number)d organizations") % {"number": values["organizations"]})
    before, after = values.get("before_cents"), values.get("after_cents")
    if before != after:
        parts.append(f"{_amount(before, currency)} → {_amount(after, currency)}")
    was, now = values.get("before"), values.get("after")
    if isinstance(was, dict) and isinstance(now, dict) and was.get("payment_state") != now.get("payment_state"):
        parts.append(f"{_state(was)} → {_state(now)}")
    return " · ".join(parts)


def _named(name: str, value: object) -> str:
    """A value as it is; days as their reader writes them."""
    return date_format(date.fromisoformat(str(value))) if name in ("day", "date") else str(value)


def _adjustment(values: Mapping[str, Any]) -> str:
    """The adjustment as it was then, under the name that its line had."""
    columns = ("kind", "target", "target_net_cents", "name", "quantity_micro", "unit_price_micro", "amount_cents")
    row = Adjustment(**{name: values[name] for name in (*columns, "percent_ppm", "text") if name in values})
    row.day = date.fromisoformat(values["day"]) if "day" in values else None
    name = values.get("line") or (name_of_key(row.target) if row.target else "")
    return adjustment_in_words(row, {row.target: name})


def _details(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    labels = {field.name: field.verbose_name for field in BillingProfile._meta.concrete_fields}
    return " · ".join(f"{labels[name]}: {before[name] or '–'} → {after[name] or '–'}" for name in after)


def _amount(cents: int | None, currency: str) -> str:
    return "–" if cents is None else f"{formatting.format_amount(cents)} {currency}".strip()


def _state(values: Mapping[str, Any]) -> str:
    return str(STATES.get(values.get("payment_state", ""), "–"))
