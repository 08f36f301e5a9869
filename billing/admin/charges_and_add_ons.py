"""What is billed apart from usage: one-shot operations, custom services, add-ons."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import display

from billing import formatting
from billing.admin import _displays as displays
from billing.admin._base import BillingAdmin
from billing.admin._filters import EmptyFilter
from billing.admin._imports import ImportsMixin
from billing.domain.money import charge_cents
from billing.models import AddOn, Charge
from organizations.admin._exports import Money, exports
from organizations.models import User

AMOUNT = {"organization", "quantity_micro", "unit_price_micro"}


class WaitingFilter(EmptyFilter):
    """Charges that no invoice has taken yet."""

    title = _("invoice")
    parameter_name = "waiting"
    column = "invoice"
    empty_label, filled_label = _("waiting for an invoice"), _("taken by an invoice")


@admin.register(Charge)
class ChargeAdmin(ImportsMixin[Charge], BillingAdmin[Charge]):
    """Editable until an issued invoice has taken it."""

    imported = "charge"
    list_display = [
        "reference",
        displays.link_column("organization", _("organization")),
        "type",
        "description",
        "date",
        "net",
        displays.link_column("invoice", _("invoice")),
    ]
    list_select_related = ["organization", "invoice"]
    list_filter = [
        WaitingFilter,
        ("type", ChoicesDropdownFilter),
        ("organization", AutocompleteSelectFilter),
        ("date", RangeDateFilter),
    ]
    search_fields = ["reference"]
    search_help_text = _("Reference, or beginning of the organization's name or identifier")
    search_exact = ("reference",)
    search_organization = "organization"
    date_hierarchy = "date"
    autocomplete_fields = ["organization"]
    readonly_fields = ["net", "author", "invoice"]
    fieldsets = [
        (None, {"fields": ["organization", "reference", "type", "description", "date"]}),
        (_("Amount"), {"fields": ["quantity_micro", "unit_price_micro", "net", "author", "invoice"]}),
    ]
    currency_path = "organization.currency"
    empty_hint = _("A charge waits here for the invoice of the month in which it is dated.")

    @exports(lambda row: Money(charge_cents(row.quantity_micro, row.unit_price_micro), row.organization.currency))
    @display(description=_("net amount"), formatting="price")
    def net(self, charge: Charge) -> Any:
        """Quantity x unit price, as the invoice will print it."""
        if charge._state.adding:
            return ""
        cents = charge_cents(charge.quantity_micro, charge.unit_price_micro)
        return formatting.format_money(cents, charge.organization.currency)

    def save_model(self, request: HttpRequest, obj: Charge, form: Any, change: bool) -> None:
        """Whoever sets what it bills to whom does not approve the draft that takes it."""
        if isinstance(request.user, User) and AMOUNT.intersection(form.changed_data):
            obj.author = request.user
        super().save_model(request, obj, form, change)

    def has_change_permission(self, request: HttpRequest, obj: Charge | None = None) -> bool:
        """What an issued invoice has taken is frozen."""
        return super().has_change_permission(request, obj) and (obj is None or obj.invoice_id is None)

    def has_delete_permission(self, request: HttpRequest, obj: Charge | None = None) -> bool:
        """What an issued invoice has taken is frozen."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.invoice_id is None)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Charge]) -> None:
        """Delete what still waits, whatever was ticked in the list."""
        super().delete_queryset(request, queryset.filter(invoice__isnull=True))


class EndFilter(EmptyFilter):
    """Add-ons that go on, or whose end is known."""

    title = _("ended on")
    parameter_name = "goes_on"
    column = "ended_on"
    empty_label, filled_label = _("goes on"), _("has an end")


class AddOnForm(forms.ModelForm[AddOn]):
    """An add-on is priced in the currency of its organization."""

    def clean(self) -> dict[str, Any]:
        """Refuse a plan in another currency, and an end before the start."""
        cleaned = super().clean() or {}
        started_on = cleaned.get("started_on") or self.instance.started_on
        ended_on = cleaned.get("ended_on")
        if started_on and ended_on and ended_on < started_on:
            self.add_error("ended_on", _("It cannot end before it starts."))
        plan, organization = (
            cleaned[name] if name in cleaned else getattr(self.instance, name, None)
            for name in ("plan", "organization")
        )
        if plan and organization and plan.currency != organization.currency:
            raise ValidationError(
                _("The plan is in %(plan)s, the organization is billed in %(organization)s.")
                % {"plan": plan.currency, "organization": organization.currency}
            )
        return cleaned


@admin.register(AddOn)
class AddOnAdmin(BillingAdmin[AddOn]):
    """Subscriptions. What is billed already cannot be moved any more, only ended."""

    form = AddOnForm
    list_display = [
        "name",
        displays.link_column("organization", _("organization")),
        displays.link_column("plan", _("plan")),
        "quantity",
        "started_on",
        "ended_on",
        "billed_until",
    ]
    list_select_related = ["organization", "plan"]
    list_filter = [("plan", AutocompleteSelectFilter), ("organization", AutocompleteSelectFilter), EndFilter]
    search_fields = ["external_id"]
    search_help_text = _("Identifier, or beginning of the organization's name or identifier")
    search_exact = ("external_id",)
    search_organization = "organization"
    date_hierarchy = "started_on"
    autocomplete_fields = ["organization", "plan"]
    fields = ["external_id", "organization", "plan", "name", "quantity", "started_on", "ended_on", "billed_until"]
    empty_hint = _("An organization subscribes to a plan by an add-on; the first invoice after its start bills it.")

    def get_readonly_fields(self, request: HttpRequest, obj: AddOn | None = None) -> Any:
        """What past invoices were based on stays."""
        billed = ["organization", "plan", "started_on"] if obj and obj.billed_until else []
        return ["billed_until", *(["external_id", *billed] if obj else [])]

    def has_delete_permission(self, request: HttpRequest, obj: AddOn | None = None) -> bool:
        """An add-on that was billed is ended, not deleted."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.billed_until is None)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AddOn]) -> None:
        """Delete what was never billed, whatever was ticked in the list."""
        super().delete_queryset(request, queryset.filter(billed_until__isnull=True))
