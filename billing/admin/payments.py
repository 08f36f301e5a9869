"""Money received."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RadioFilter, RangeDateFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from billing import formatting
from billing.admin import _displays as displays
from billing.admin._actions import ActionsMixin, PageAction
from billing.admin._base import BillingAdmin, PerformsMixin, UseCaseForm
from billing.admin._payment_actions import PAYMENT_ACTIONS
from billing.models import Payment
from billing.queries.payments import load_payment_page, unallocated_cents, with_unallocated_money
from billing.usecases._permissions import NotAllowed
from billing.usecases.record_payment import UnableToRecordPayment, record_payment
from organizations.admin._exports import Money, exports
from organizations.models import User

MAY_SETTLE = "billing.settle_invoice"


class PaymentForm(UseCaseForm[Payment]):
    """Records a payment; without an invoice number it settles the oldest unpaid invoices first."""

    refusals = (UnableToRecordPayment, NotAllowed)
    actor: User
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
            actor=self.actor,
            at=timezone.now(),
        ).payment


class UnallocatedFilter(RadioFilter):
    """Whether money of the payment settles nothing."""

    title = _("unallocated money")
    parameter_name = "unallocated"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """One choice: an index holds exactly these."""
        return [("1", _("Some is left"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        """Apply the choice."""
        return with_unallocated_money(queryset) if self.value() == "1" else queryset


@admin.register(Payment)
class PaymentAdmin(ActionsMixin[Payment], PerformsMixin[Payment], BillingAdmin[Payment]):
    """Recorded once, never edited."""

    form = PaymentForm
    list_display = [
        "reference",
        displays.link_column("organization", _("organization")),
        "date",
        "method",
        displays.money_column("amount_cents", _("amount")),
        displays.money_column("allocated_cents", _("allocated")),
        displays.money_column("refunded_cents", _("went back")),
        "unallocated",
    ]
    list_select_related = ["organization"]
    list_filter = [
        UnallocatedFilter,
        ("method", ChoicesDropdownFilter),
        ("organization", AutocompleteSelectFilter),
        ("date", RangeDateFilter),
    ]
    search_fields = ["reference"]
    search_help_text = _("Beginning of the reference, or of the organization's name or identifier")
    search_exact = ("reference",)
    search_beginning = "reference"
    search_organization = "organization"
    date_hierarchy = "date"
    dates_follow_key = True
    autocomplete_fields = ["organization"]
    change_form_template = "admin/payment_page.html"
    page_actions: ClassVar[Sequence[PageAction[Any]]] = PAYMENT_ACTIONS
    empty_hint = _("Record a transfer that the bank shows, or import payments with import_data.")

    def get_fields(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        """What is typed; what was recorded has a page of its own."""
        return [] if obj else ["organization", "reference", "amount_cents", "date", "method", "invoice_number"]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show where the money is instead of a form."""
        payment = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if payment is not None and self.has_view_permission(request, payment):
            context = {
                "payment": payment,
                "page": load_payment_page(payment),
                "buttons": self.buttons(request, payment),
                "undo_url": self.action_url(payment, "undo") if request.user.has_perm(MAY_SETTLE) else "",
            }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    @exports(lambda payment: Money(unallocated_cents(payment), payment.currency))
    @display(description=_("unallocated"), formatting="price")
    def unallocated(self, payment: Payment) -> Any:
        """What settles no invoice and stays on the account."""
        left_cents = unallocated_cents(payment)
        return formatting.format_money(left_cents, payment.currency) if left_cents else ""

    def get_form(self, request: HttpRequest, obj: Payment | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, which knows who is at the desk."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"actor": request.user})

    def has_change_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        """Money that was received is not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        """Money that was received is not deleted."""
        return False
