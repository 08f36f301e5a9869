"""The dialogs that adjust a draft: one per kind of adjustment, to undo one, to decide a conflict, to hold."""

from collections.abc import Callable, Sequence
from datetime import datetime
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
from billing.admin._actions import ActionForm, Effect, ReasonForm
from billing.admin._fields import CentsField, MicroField, PercentField
from billing.domain.adjustments import PROVISION, SKIPPABLE, WHOLE, line_key
from billing.domain.quantities import MICRO
from billing.models import Adjustment, Invoice, InvoiceLine
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
    UnableToAdjust,
    adjust_invoice,
)
from billing.usecases.adjust_invoice import Effect as Computed
from billing.usecases.confirm_adjustment import confirm_adjustment
from billing.usecases.hold_invoice import hold_invoice
from billing.usecases.release_hold import release_hold
from billing.usecases.undo_adjustment import undo_adjustment

LINE_WIDGET = UnfoldAdminTextInputWidget
TEXT_WIDGET = UnfoldAdminTextareaWidget(attrs={"rows": 3})


def seen_of(invoice: Invoice) -> str:
    """What a person who looks at this page has seen: the draft as it is, or that there is none."""
    return invoice.fingerprint if invoice.document_state == "draft" else ""


class DraftForm(ActionForm[Invoice]):
    """Works on the draft that the person saw: the button carries its fingerprint, and nothing else will do."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("seen", seen_of(self.target))
        if "preview" in self.data and "reason" in self.fields:
            self.fields["reason"].required = False

    def attempt[R](self, call: Callable[[], R]) -> R | None:
        """Call a use case; its refusal names values, so it is translated before they are put in."""
        try:
            return super().attempt(call)
        except UnableToAdjust as refusal:
            self.add_error(None, _t(refusal.template) % refusal.values)
            return None


class EffectForm(DraftForm):
    """Shows what saving would do to the total: computed by the use case that would save it."""

    has_effect = True

    def call(self, *, dry_run: bool) -> Computed:
        """Call the use case."""
        raise NotImplementedError

    def effect(self) -> Sequence[Effect]:
        """The total now and then; what else arrived meanwhile is told apart."""
        computed = self.call(dry_run=True)
        label, currency, after_cents = _t("Total incl. VAT"), computed.currency, computed.after_cents
        whole = Effect(label, currency, computed.before_cents, after_cents)
        if computed.before_cents == computed.computed_cents:
            return [whole]
        label = _t("Total incl. VAT, with what arrived since it was computed")
        return [
            whole._replace(label=label),
            Effect(_t("This change alone"), currency, computed.computed_cents, after_cents),
        ]


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
        self.fields["line"].choices = line_choices(lines, lambda key: True)  # type: ignore[attr-defined]

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


class OfAdjustment(DraftForm):
    """About one adjustment of the month on this page."""

    adjustment = forms.ModelChoiceField(Adjustment.objects.none(), widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Adjustment.objects.filter(organization=self.target.organization_id, month=self.target.consumption_month)
        self.fields["adjustment"].queryset = mine  # type: ignore[attr-defined]


class UndoForm(OfAdjustment, EffectForm):
    """Takes an adjustment out of force."""

    reason = forms.CharField(label=capfirst(_("reason")), required=False, max_length=1000, widget=TEXT_WIDGET)

    def call(self, *, dry_run: bool) -> Computed:
        """Undo, or try to."""
        return undo_adjustment(
            adjustment_id=self.cleaned_data["adjustment"].pk,
            reason=self.cleaned_data["reason"],
            seen=self.cleaned_data["seen"],
            actor=self.actor,
            at=self.at,
            dry_run=dry_run,
        )

    def perform(self) -> str:
        """Undo it."""
        self.call(dry_run=False)
        return _t("The adjustment was undone.")


class KeepForm(OfAdjustment, ReasonForm[Invoice]):
    """Decides a conflict: the adjustment stays, on the line as it is now."""

    def perform(self) -> str:
        """Keep it."""
        confirm_adjustment(
            adjustment_id=self.cleaned_data["adjustment"].pk,
            reason=self.cleaned_data["reason"],
            seen=self.cleaned_data["seen"],
            actor=self.actor,
            at=self.at,
        )
        return _t("The adjustment is kept.")


class HoldForm(DraftForm, ReasonForm[Invoice]):
    """Puts the draft on hold."""

    def perform(self) -> str:
        """Hold it."""
        hold_invoice(invoice_id=self.target.pk, **_given(self.cleaned_data, self.actor, self.at))
        return _t("The draft is on hold: it is not issued until somebody releases it.")


class ReleaseForm(DraftForm):
    """Releases the draft."""

    reason = forms.CharField(label=capfirst(_("reason")), required=False, max_length=1000, widget=TEXT_WIDGET)

    def perform(self) -> str:
        """Release it."""
        release_hold(invoice_id=self.target.pk, **_given(self.cleaned_data, self.actor, self.at))
        return _t("The draft is released.")


def _given(values: dict[str, Any], actor: Any, at: datetime) -> dict[str, Any]:
    return {"reason": values["reason"], "seen": values["seen"], "actor": actor, "at": at}


def line_choices(lines: Sequence[InvoiceLine], wanted: Callable[[str], bool]) -> list[tuple[str, str]]:
    """The lines of a draft as choices, each with its net amount; an add-on once, with the sum of its lines."""
    nets: dict[str, int] = {}
    for line in lines:
        nets[line_key(line)] = nets.get(line_key(line), 0) + line.net_cents
    names = names_of_lines(lines)
    return [(key, f"{names[key]} ({formatting.format_amount(cents)})") for key, cents in nets.items() if wanted(key)]
