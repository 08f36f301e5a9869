"""What the dialogs on a draft share: the draft that the person saw, and the effect on its total."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _t

from billing.admin._actions import ActionForm, Effect
from billing.models import Invoice
from billing.usecases.adjust_invoice import Effect as Computed
from billing.usecases.adjust_invoice import UnableToAdjust


def seen_of(invoice: Invoice) -> str:
    """What a person who looks at this page has seen: the draft as it is, or that there is none."""
    return invoice.fingerprint if invoice.document_state == "draft" else ""


class DraftForm(ActionForm[Invoice]):
    """Works on the draft that the person saw: the button carries its fingerprint, and nothing else will do."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("seen", seen_of(self.target))

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

    def full_clean(self) -> None:
        """Check what was typed; the reason is needed to save, not to look."""
        reason = self.fields["reason"]
        is_required, reason.required = reason.required, reason.required and "preview" not in self.data
        super().full_clean()
        reason.required = is_required

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
