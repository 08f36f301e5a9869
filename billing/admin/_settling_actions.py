"""What can be done about the money of an invoice from its page: record it, use what is there, give it up, hold it."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from billing import formatting
from billing.admin._actions import ActionForm, PageAction, ReasonForm
from billing.admin._fields import CentsField
from billing.admin._undoing_actions import UndoOfInvoiceForm, undo_action
from billing.models import Invoice, Payment
from billing.queries.invoices import left_cents
from billing.queries.months import local_day
from billing.queries.payments import money_on_account, unallocated_cents, unallocated_on_account
from billing.usecases.allocate_payment import Share, UnableToSettle, allocate_payment
from billing.usecases.hold_payment import hold_payment
from billing.usecases.record_payment import UnableToRecordPayment, record_payment
from billing.usecases.resume_payment import resume_payment
from billing.usecases.take_back_write_off import take_back_write_off
from billing.usecases.write_off_invoice import write_off_invoice

WAITS = frozenset({"pending", "processing", "payment_held"})


class RecordForm(ActionForm[Invoice]):
    """A payment for this invoice."""

    refusals = (UnableToRecordPayment,)
    amount_cents = CentsField(
        label=capfirst(_("amount")), help_text=_("More than is left to pay stays unallocated on the account.")
    )
    reference = forms.CharField(
        label=capfirst(_("reference")),
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("What the bank calls it; the same one again is recorded once."),
    )
    date = forms.DateField(label=capfirst(_("date")), widget=UnfoldAdminSingleDateWidget)
    method = forms.ChoiceField(
        label=capfirst(_("method")),
        choices=Payment.Method.choices,
        initial=Payment.Method.BANK_TRANSFER,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount_cents"].label = f"{capfirst(_t('amount'))} · {self.target.currency}"
        self.fields["amount_cents"].initial = left_cents(self.target)
        self.fields["date"].initial = local_day(self.at)

    def perform(self) -> str:
        """Record it and settle the invoice."""
        recorded = record_payment(
            organization_id=self.target.organization_id,
            invoice_number=self.target.number,
            **self.cleaned_data,
            actor=self.actor,
            at=self.at,
        )
        if not recorded.is_new:
            return _t("This payment was recorded already; nothing changed.")
        return _t("The payment is recorded.")


class UseMoneyForm(ActionForm[Invoice]):
    """Money of the account that settles nothing yet. A choice remembers how much there was."""

    refusals = (UnableToSettle,)
    payment = forms.ChoiceField(label=capfirst(_("payment")), widget=UnfoldAdminSelectWidget)
    amount_cents = CentsField(
        label=capfirst(_("amount")),
        required=False,
        help_text=_("Empty: as much as is left to pay, and as there is."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount_cents"].label = f"{capfirst(_t('amount'))} · {self.target.currency}"
        self.fields["payment"].choices = [  # type: ignore[attr-defined]  # a choice field
            (
                f"{payment.pk}-{unallocated_cents(payment)}",
                f"{payment} · {formatting.format_amount(unallocated_cents(payment))} {payment.currency}",
            )
            for payment in money_on_account(self.target.organization_id)
        ]

    def perform(self) -> str:
        """Settle the invoice with it."""
        payment_id, seen_cents = map(int, self.cleaned_data["payment"].split("-"))
        allocate_payment(
            payment_id=payment_id,
            shares=[Share(self.target.pk, self.cleaned_data["amount_cents"])],
            seen_cents=seen_cents,
            actor=self.actor,
            at=self.at,
        )
        return _t("The money is allocated.")


class StateForm(ReasonForm[Invoice]):
    """A decision about the money that is left, with its reason."""

    refusals = (UnableToSettle,)
    use_case: ClassVar[Callable[..., Invoice]]
    done: ClassVar[Any]

    def perform(self) -> str:
        """Decide."""
        type(self).use_case(invoice_id=self.target.pk, reason=self.cleaned_data["reason"], actor=self.actor, at=self.at)
        return str(self.done)


class WriteOffForm(StateForm):
    """Nobody will pay it."""

    use_case = staticmethod(write_off_invoice)
    done = _("Written off: nothing is due any more.")


class TakeBackForm(StateForm):
    """Somebody will pay it after all."""

    use_case = staticmethod(take_back_write_off)
    done = _("The invoice waits for its money again.")


class HoldForm(StateForm):
    """Not now."""

    use_case = staticmethod(hold_payment)
    done = _("The payment is held.")


class ResumeForm(StateForm):
    """Now."""

    use_case = staticmethod(resume_payment)
    done = _("The invoice waits for its money again.")


def _is_payable(invoice: Invoice) -> bool:
    is_issued = invoice.document_state == "issued" and invoice.kind == Invoice.Kind.INVOICE
    return is_issued and invoice.payment_state in {*WAITS, "wont_pay"}


def _is(*states: str) -> Callable[[Invoice], bool]:
    return lambda invoice: _is_payable(invoice) and invoice.payment_state in states


UNDO_ACTIONS = (undo_action("undo-allocation", UndoOfInvoiceForm),)
SETTLING_ACTIONS = (
    PageAction(
        name="record-payment",
        title=_("Record a payment"),
        form=RecordForm,
        permission="billing.add_payment",
        icon="payments",
        submit=_("Record"),
        is_offered=_is_payable,
    ),
    PageAction(
        name="use-money",
        title=_("Use money of the account"),
        form=UseMoneyForm,
        permission="billing.settle_invoice",
        icon="call_split",
        description=_("unallocated money of an earlier payment settles it, a part is enough."),
        submit=_("Allocate"),
        is_offered=lambda invoice: _is_payable(invoice) and unallocated_on_account(invoice.organization_id) > 0,
    ),
    PageAction(
        name="hold-payment",
        title=_("Hold the payment"),
        form=HoldForm,
        permission="billing.settle_invoice",
        icon="pause",
        description=_("money that arrives still settles it."),
        submit=_("Hold"),
        is_offered=_is("pending", "processing"),
    ),
    PageAction(
        name="resume-payment",
        title=_("Resume the payment"),
        form=ResumeForm,
        permission="billing.settle_invoice",
        icon="play_arrow",
        submit=_("Resume"),
        is_offered=_is("payment_held"),
    ),
    PageAction(
        name="write-off",
        title=_("Write off"),
        form=WriteOffForm,
        permission="billing.refund_invoice",
        needs_fresh_factor=True,
        icon="money_off",
        description=_("nobody is expected to pay what is left; credits that wait for it are cancelled."),
        submit=_("Write off"),
        is_offered=_is("pending", "payment_held"),
    ),
    PageAction(
        name="take-back-write-off",
        title=_("Take back the write-off"),
        form=TakeBackForm,
        permission="billing.refund_invoice",
        icon="undo",
        description=_("the invoice waits for its money again, and its credits with it."),
        submit=_("Take back"),
        is_offered=_is("wont_pay"),
    ),
)
