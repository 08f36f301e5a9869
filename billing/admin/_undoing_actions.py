"""Undoing an allocation, from the page of the invoice or of the payment that it links."""

from typing import Any, ClassVar

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from billing import formatting
from billing.admin._actions import PageAction, ReasonForm
from billing.models import Invoice, Payment
from billing.usecases.allocate_payment import UnableToSettle
from billing.usecases.undo_allocation import undo_allocation


class UndoForm[M: (Invoice, Payment)](ReasonForm[M]):
    """One of the allocations in force, named by the row at its other end."""

    refusals = (UnableToSettle,)
    field_order = ("allocation", "reason")
    allocation = forms.TypedChoiceField(coerce=int, widget=UnfoldAdminSelectWidget)
    other_end: ClassVar[str]
    label: ClassVar[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = self.target.allocations.filter(undone_at=None).select_related("invoice", "payment").order_by("id")
        field = self.fields["allocation"]
        field.label = capfirst(self.label)
        field.choices = [  # type: ignore[attr-defined]  # a choice field
            (
                row.pk,
                f"{getattr(row, self.other_end)} · {formatting.format_amount(row.amount_cents)} {row.invoice.currency}",
            )
            for row in rows
        ]

    def perform(self) -> str:
        """Make its money unallocated again."""
        undo_allocation(
            allocation_id=self.cleaned_data["allocation"],
            reason=self.cleaned_data["reason"],
            actor=self.actor,
            at=self.at,
        )
        return _t("Undone: the money is unallocated again.")


class UndoOfInvoiceForm(UndoForm[Invoice]):
    """One of the payments that settle an invoice."""

    other_end, label = "payment", _("payment")


class UndoOfPaymentForm(UndoForm[Payment]):
    """One of the invoices that a payment settles."""

    other_end, label = "invoice", _("invoice")


def undo_action[M: (Invoice, Payment)](name: str, form: type[UndoForm[M]]) -> PageAction[M]:
    """The button, for a page of an invoice or of a payment."""
    return PageAction(
        name=name,
        title=_("Undo an allocation"),
        form=form,
        permission="billing.settle_invoice",
        icon="link_off",
        description=_("the invoice is unpaid again, and what is unused of its credits waits for the payment."),
        submit=_("Undo"),
        is_offered=lambda target: target.allocations.filter(undone_at=None).exists(),
    )
