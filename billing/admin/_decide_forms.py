"""The dialogs that decide something about a draft: undo or keep an adjustment, hold it, release it."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from billing.admin._actions import ReasonForm
from billing.admin._adjustment_words import adjustment_in_words, conflict_sentence
from billing.admin._draft_forms import DraftForm, EffectForm
from billing.models import Adjustment, Invoice
from billing.queries.adjustments import list_adjustments
from billing.queries.target_names import names_of_targets
from billing.usecases.adjust_invoice import Effect as Computed
from billing.usecases.confirm_adjustment import confirm_adjustment
from billing.usecases.hold_invoice import hold_invoice
from billing.usecases.release_hold import release_hold
from billing.usecases.undo_adjustment import undo_adjustment

TEXT_WIDGET = UnfoldAdminTextareaWidget(attrs={"rows": 3})


class OfAdjustment(DraftForm):
    """About one adjustment of the month on this page."""

    adjustment = forms.ModelChoiceField(Adjustment.objects.none(), widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Adjustment.objects.filter(organization=self.target.organization_id, month=self.target.consumption_month)
        self.fields["adjustment"].queryset = mine  # type: ignore[attr-defined]  # a model field

    @property
    def intro(self) -> str:
        """Which one, and what is to be decided."""
        asked = str(self["adjustment"].value() or "")
        listed = [each for each in list_adjustments(self.target) if str(each.row.pk) == asked]
        if not listed:
            return ""
        words = adjustment_in_words(listed[0].row, names_of_targets([listed[0].row], self.target.lines.all()))
        return f"{words}. {conflict_sentence(listed[0])}".strip()


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
