"""What can be done with a payment from its page: settle invoices, undo that, give money back, lose it to the bank."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from billing import formatting
from billing.admin._actions import ActionForm, PageAction, ReasonForm
from billing.admin._fields import CentsField
from billing.admin._undoing_actions import UndoOfPaymentForm, undo_action
from billing.models import Payment
from billing.queries.invoices import left_cents
from billing.queries.months import local_day
from billing.queries.payments import invoices_that_wait, suggest_shares, unallocated_cents
from billing.usecases.allocate_payment import Share, allocate_payment
from billing.usecases.record_chargeback import UnableToSettle, record_chargeback
from billing.usecases.refund_payment import refund_payment

PREFIX = "invoice_"


class AllocateForm(ActionForm[Payment]):
    """One amount per invoice that waits for money; together they are allocated or none of them."""

    refusals = (UnableToSettle,)
    seen_cents = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        waiting = invoices_that_wait(self.target.organization_id)
        free_cents = unallocated_cents(self.target)
        self.fields["seen_cents"].initial = free_cents
        suggested = suggest_shares(free_cents, waiting)
        for invoice in waiting:
            self.fields[f"{PREFIX}{invoice.pk}"] = CentsField(
                label=f"{invoice} · {formatting.format_month(invoice.consumption_month)}",
                required=False,
                initial=suggested.get(invoice.pk),
                help_text=_t("%(amount)s %(currency)s are left to pay.")
                % {"amount": formatting.format_amount(left_cents(invoice)), "currency": invoice.currency},
            )

    def clean(self) -> dict[str, Any]:
        """An invoice that vanished from the list meanwhile must not be left out silently."""
        typed = {name for name, value in self.data.items() if name.startswith(PREFIX) and str(value).strip()}
        if typed - set(self.fields):
            self.add_error(None, _t("The list of unpaid invoices has changed meanwhile. Open the dialog again."))
        return self.cleaned_data

    def perform(self) -> str:
        """Settle the invoices that have an amount."""
        shares = [
            Share(int(name.removeprefix(PREFIX)), cents)
            for name, cents in self.cleaned_data.items()
            if name.startswith(PREFIX) and cents is not None
        ]
        allocate_payment(
            payment_id=self.target.pk,
            shares=shares,
            seen_cents=self.cleaned_data["seen_cents"],
            actor=self.actor,
            at=self.at,
        )
        return _t("The money is allocated.")


class MoneyBackForm(ReasonForm[Payment]):
    """What money that goes back is known by at the bank."""

    refusals = (UnableToSettle,)
    reference = forms.CharField(label=capfirst(_("reference")), max_length=100, widget=UnfoldAdminTextInputWidget)
    date = forms.DateField(label=capfirst(_("date")), widget=UnfoldAdminSingleDateWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["date"].initial = local_day(self.at)


class RefundForm(MoneyBackForm):
    """Unallocated money that finance sends back."""

    field_order = ("amount_cents", "reference", "date", "method", "reason")
    amount_cents = CentsField(label=capfirst(_("amount")))
    method = forms.ChoiceField(
        label=capfirst(_("method")), choices=Payment.Method.choices, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount_cents"].label = f"{capfirst(_t('amount'))} · {self.target.currency}"
        self.fields["amount_cents"].initial = unallocated_cents(self.target)
        self.fields["method"].initial = self.target.method

    def perform(self) -> str:
        """Record it."""
        refund_payment(payment_id=self.target.pk, **self.cleaned_data, actor=self.actor, at=self.at)
        return _t("The refund is recorded.")


class ChargebackForm(MoneyBackForm):
    """The bank took the payment back."""

    field_order = ("reference", "date", "reason")
    reason = forms.CharField(
        label=capfirst(_("reason")),
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("What the bank says, such as insufficient funds."),
    )

    def perform(self) -> str:
        """Record it."""
        record_chargeback(payment_id=self.target.pk, **self.cleaned_data, actor=self.actor, at=self.at)
        return _t("The chargeback is recorded: what the payment had settled is unpaid again.")


PAYMENT_ACTIONS = (
    PageAction(
        name="allocate",
        title=_("Allocate"),
        form=AllocateForm,
        permission="billing.settle_invoice",
        icon="call_split",
        description=_("unallocated money settles the invoices that you choose, a part is enough."),
        submit=_("Allocate"),
        is_offered=lambda payment: unallocated_cents(payment) > 0 and bool(invoices_that_wait(payment.organization_id)),
    ),
    PageAction(
        name="refund",
        title=_("Refund"),
        form=RefundForm,
        permission="billing.refund_invoice",
        needs_fresh_factor=True,
        icon="undo",
        description=_("only unallocated money goes back; what settles an invoice has to be undone or credited first."),
        submit=_("Record the refund"),
        is_offered=lambda payment: unallocated_cents(payment) > 0,
    ),
    undo_action("undo", UndoOfPaymentForm),
    PageAction(
        name="chargeback",
        title=_("Chargeback"),
        form=ChargebackForm,
        permission="billing.settle_invoice",
        icon="money_off",
        description=_("the bank took the money back: what it had settled is unpaid again."),
        submit=_("Record the chargeback"),
        is_offered=lambda payment: payment.refunded_cents < payment.amount_cents,
    ),
)
