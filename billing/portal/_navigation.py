"""The pages of an organization, in their order, without those that a role may not see."""

from dataclasses import dataclass
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_stubs_ext import StrOrPromise

from billing.portal._access import Seat


class _Entry(NamedTuple):
    """A page, and the beginning of the names of the addresses that belong to it."""

    name: str
    label: StrOrPromise
    for_everybody: bool = False


ENTRIES = (
    _Entry("invoices", _("Invoices")),
    _Entry("credits", _("Credits")),
    _Entry("consumption", _("Consumption")),
    _Entry("coupons", _("Coupons")),
    _Entry("billing_details", _("Billing details")),
    _Entry("members", pgettext_lazy("of an organization", "Members"), for_everybody=True),
)


@dataclass(frozen=True)
class Tab:
    """An entry as a template shows it."""

    label: str
    url: str
    is_current: bool


def tabs(request: HttpRequest, seat: Seat, *, current: str = "") -> list[Tab]:
    """The entries that a person may follow; `current` names the one that the page belongs to."""
    entries = [entry for entry in ENTRIES if entry.for_everybody or seat.sees_money]
    args = [seat.organization.external_id]
    return [
        Tab(str(entry.label), reverse(f"portal:{entry.name}", args=args), entry.name == current) for entry in entries
    ]
