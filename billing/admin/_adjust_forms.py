"""The dialogs that adjust a draft, one per kind of adjustment."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

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
from billing.admin._actions import ReasonForm
from billing.admin._draft_forms import EffectForm
from billing.admin._fields import CentsField, MicroField, PercentField
from billing.domain.adjustments import PROVISION, SKIPPABLE, WHOLE, line_key
from billing.domain.quantities import MICRO
from billing.models import Invoice, InvoiceLine
from billing.queries.months import month_of
from billing.queries.target_names import names_of_lines
from billing.usecases.adjust_invoice import (
    AddedLine,
    Change,
    Discount,
    DueDate,
    Note,
    PurchaseOrder,
    Refill,
    Skip,
    adjust_invoice,
)
from billing.usecases.adjust_invoice import Effect as Computed

LINE_WIDGET = UnfoldAdminTextInputWidget
TEXT_WIDGET = UnfoldAdminTextareaWidget(attrs={"rows": 3})


class AdjustForm(EffectForm, ReasonForm[Invoice]):
    """Adds one adjustment."""

    done: ClassVar[Any] = _("The draft was adjusted.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "reason"])

    def change(self) -> Change:
        """What the person typed, as the use case wants it."""
        raise NotImplementedError

    def call(self, *, dry_run: bool) -> Computed:
        """Adjust, or try to."""
        return adjust_invoice(
            organization_id=self.target.organization_id,
            month=month_of(self.target.consumption_month),
            change=self.change(),
            reason=self.cleaned_data["reason"],
            seen=self.cleaned_data["seen"],
            actor=self.actor,
            at=self.at,
            dry_run=dry_run,
        ).effect

    def perform(self) -> str:
        """Adjust and say so."""
        self.call(dry_run=False)
        return str(self.done)


class LineForm(AdjustForm):
    """Adds a line."""

    name = forms.CharField(label=_("Description on the invoice"), max_length=500, widget=LINE_WIDGET)
    quantity = MicroField(label=capfirst(_("quantity")), initial=MICRO)
    unit_price = MicroField(label=_("Unit price excl. VAT"))
    done = _("The line was added.")

    def change(self) -> Change:
        """A line of so many pieces."""
        return AddedLine(*(self.cleaned_data[name] for name in ("name", "quantity", "unit_price")))


class DiscountForm(AdjustForm):
    """Gives a discount."""

    line = forms.ChoiceField(label=_("Discount on"), required=False, widget=UnfoldAdminSelectWidget)
    percent = PercentField(label=_("Percentage"), required=False, help_text=_("Either a percentage or an amount."))
    amount = CentsField(label=_("Amount excl. VAT"), required=False)
    name = forms.CharField(
        label=_("Description on the invoice"),
        required=False,
        max_length=500,
        widget=LINE_WIDGET,
        help_text=_("Empty: “Discount”."),
    )
    done = _("The discount was given.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whole = (WHOLE, _t("everything but the credits provision"))
        lines = [line for line in self.target.lines.all() if line.kind != "discount"]
        self.fields["line"].choices = [whole, *line_choices(lines, lambda key: key != PROVISION)]  # type: ignore[attr-defined]

    def change(self) -> Change:
        """A percentage or an amount off the whole or one line."""
        values = self.cleaned_data
        return Discount(values["line"], values["percent"], values["amount"], values["name"])


class RefillForm(AdjustForm):
    """Sets another refill."""

    amount = CentsField(label=_("Credits to sell with this invoice"))
    done = _("The refill was set.")

    def change(self) -> Change:
        """So many credits."""
        return Refill(self.cleaned_data["amount"])


class SkipForm(AdjustForm):
    """Lets a line wait for the next invoice."""

    line = forms.ChoiceField(label=_("Line that waits for the next invoice"), widget=UnfoldAdminSelectWidget)
    done = _("The line waits for the next invoice.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = list(self.target.lines.filter(kind__in=SKIPPABLE))
        self.fields["line"].choices = line_choices(lines, lambda key: True)  # type: ignore[attr-defined]  # choices

    def change(self) -> Change:
        """That line."""
        return Skip(self.cleaned_data["line"])


class DueDateForm(AdjustForm):
    """Sets the due date."""

    has_effect = False
    day = forms.DateField(label=capfirst(_("due date")), widget=UnfoldAdminSingleDateWidget)
    done = _("The due date was set.")

    def change(self) -> Change:
        """That day."""
        return DueDate(self.cleaned_data["day"])


class PurchaseOrderForm(AdjustForm):
    """Sets the purchase order."""

    has_effect = False
    text = forms.CharField(label=capfirst(_("purchase order")), max_length=100, widget=LINE_WIDGET)
    done = _("The purchase order was set.")

    def change(self) -> Change:
        """That order."""
        return PurchaseOrder(self.cleaned_data["text"])


class NoteForm(AdjustForm):
    """Writes a note to the customer."""

    has_effect = False
    text = forms.CharField(label=capfirst(_("note to the customer")), max_length=2000, widget=TEXT_WIDGET)
    done = _("The note was written.")

    def change(self) -> Change:
        """That note."""
        return Note(self.cleaned_data["text"])


def line_choices(lines: Sequence[InvoiceLine], wanted: Callable[[str], bool]) -> list[tuple[str, str]]:
    """The lines of a draft as choices, each with its net amount; an add-on once, with the sum of its lines."""
    nets: dict[str, int] = {}
    for line in lines:
        nets[line_key(line)] = nets.get(line_key(line), 0) + line.net_cents
    names = names_of_lines(lines)
    return [(key, f"{names[key]} ({formatting.format_amount(cents)})") for key, cents in nets.items() if wanted(key)]
