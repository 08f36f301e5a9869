"""Money received."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from billing import formatting
from billing.admin import _displays as displays
from billing.admin._base import BillingAdmin, PerformsMixin, UnitsInline, UseCaseForm
from billing.models import Allocation, Payment
from billing.usecases.record_payment import UnableToRecordPayment, record_payment
from organizations.admin._exports import Money, exports


class PaymentForm(UseCaseForm[Payment]):
    """Records a payment; without an invoice number it settles the oldest unpaid invoices first."""

    refusals = (UnableToRecordPayment,)
    invoice_number = forms.CharField(
        label=capfirst(_("invoice number")),
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The invoice that the payer named; empty: the oldest unpaid first."),
    )

    class Meta:
        model = Payment
        fields = ["reference", "organization", "amount_cents", "date", "method"]

    def perform(self) -> Payment:
        """Record it; the same payment again is found, not recorded twice."""
        values = self.cleaned_data
        return record_payment(
            reference=values["reference"],
            organization_id=values["organization"].pk,
            amount_cents=values["amount_cents"],
            date=values["date"],
            method=values["method"],
            invoice_number=values["invoice_number"].strip() or None,
            at=timezone.now(),
        ).payment


class AllocationInline(UnitsInline[Allocation, Payment]):
    """The invoices that the payment settles."""

    model = Allocation
    fields = ["invoice", "amount_cents"]
    currency_path = "invoice.currency"
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> Any:
        """Each row with its invoice."""
        return super().get_queryset(request).select_related("invoice")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Recording a payment allocates it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Recording a payment allocates it."""
        return False


@admin.register(Payment)
class PaymentAdmin(PerformsMixin[Payment], BillingAdmin[Payment]):
    """Recorded once, never edited."""

    form = PaymentForm
    list_display = [
        "reference",
        displays.link_column("organization", _("organization")),
        "date",
        "method",
        displays.money_column("amount_cents", _("amount")),
        displays.money_column("allocated_cents", _("allocated")),
        "unallocated",
    ]
    list_select_related = ["organization"]
    list_filter = [
        ("method", ChoicesDropdownFilter),
        ("organization", AutocompleteSelectFilter),
        ("date", RangeDateFilter),
    ]
    search_fields = ["reference"]
    search_help_text = _("Reference, or beginning of the organization's name or identifier")
    search_exact = ("reference",)
    search_organization = "organization"
    date_hierarchy = "date"
    dates_follow_key = True
    autocomplete_fields = ["organization"]
    inlines = [AllocationInline]
    empty_hint = _("Record a transfer that the bank shows, or import payments with import_data.")

    def get_fields(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        """What is typed, or what was recorded."""
        if obj is None:
            return ["organization", "reference", "amount_cents", "date", "method", "invoice_number"]
        return [
            "organization",
            "reference",
            "amount_cents",
            "allocated_cents",
            "date",
            "method",
            "requested_invoice",
            "recorded_at",
        ]

    @exports(lambda payment: Money(payment.amount_cents - payment.allocated_cents, payment.currency))
    @display(description=_("unallocated"), formatting="price")
    def unallocated(self, payment: Payment) -> Any:
        """What settles no invoice and stays on the account."""
        left_cents = payment.amount_cents - payment.allocated_cents
        return formatting.format_money(left_cents, payment.currency) if left_cents else ""

    def get_inlines(self, request: HttpRequest, obj: Payment | None) -> Any:
        """A payment that is being recorded has no allocations yet."""
        return self.inlines if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        """Money that was received is not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        """Money that was received is not deleted."""
        return False
