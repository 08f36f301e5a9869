"""What the scopes of an API key open, in words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

SCOPE_WORDS: Mapping[str, "StrPromise"] = {
    "usage:write": _("report usage"),
    "organizations:read": _("read organizations, their resources and add-ons"),
    "organizations:write": _("create and change organizations, their resources and add-ons"),
    "catalogue:read": _("read add-on plans"),
    "catalogue:write": _("create and change add-on plans"),
    "charges:write": _("add charges to the next invoice"),
    "credits:read": _("read balances and entries of credits"),
    "credits:write": _("grant credits"),
    "coupons:write": _("create coupons"),
    "invoices:read": _("read invoices and credit notes"),
    "closes:read": _("read month closes and what became of each organization"),
}
