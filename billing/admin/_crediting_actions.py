"""What corrects an issued invoice from its page: credit it, cancel it, give back what late usage made cheaper."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSingleDateWidget

from billing import formatting
from billing.admin._actions import ActionForm, Effect, PageAction, ReasonForm
from billing.admin._fields import CentsField
from billing.models import Invoice
from billing.queries.crediting import draft_credit_note, load_creditable
from billing.queries.months import local_day
from billing.queries.wording import line_description
from billing.usecases._accounts import UnableToSettle
from billing.usecases.cancel_invoice import cancel_invoice
from billing.usecases.discard_credit_note import discard_credit_note
from billing.usecases.issue_credit_note import issue_credit_note
from billing.usecases.prepare_credit_note import prepare_credit_note
from billing.usecases.return_lowered_usage import GivenBack, return_lowered_usage

PERMISSION = "billing.credit_invoice"
OVER = frozenset({"canceled", "refunded"})
LOWERED = "late_usage_lowers_amount"


class CreditedForm(ReasonForm[Invoice]):
    """Decides on an invoice of which so much was credited when the person looked."""

    refusals = (UnableToSettle,)
    credited = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("credited", self.target.credited_cents)


class CreditForm(CreditedForm):
    """An amount for each line, prefilled with all that is left of it."""

    has_effect = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _t("Printed on the credit note.")
        creditable = load_creditable(self.target.pk)
        self.left = {line.id: line.left_cents for line in creditable.lines if line.left_cents}
        for line_id, cents in self.left.items():
            row = creditable.rows[line_id]
            self.fields[_name(line_id)] = CentsField(
                label=f"{line_description(row)} · {self.target.currency}",
                required=False,
                initial=abs(cents),
                help_text=_t("%(left)s are left of it.") % {"left": formatting.format_amount(cents)},
            )
        self.order_fields([*map(_name, self.left), "reason"])

    def full_clean(self) -> None:
        """Check what was typed; the reason is needed to save, not to look."""
        self.fields["reason"].required = "preview" not in self.data
        super().full_clean()
        self.fields["reason"].required = True

    def effect(self) -> Sequence[Effect]:
        """What the credit note takes back, and what is left to pay of the invoice then."""
        note = self._prepare(dry_run=True)
        return [Effect(_t("Credit note incl. VAT"), note.currency, 0, note.total_cents)]

    def perform(self) -> str:
        """Prepare the draft."""
        self._prepare(dry_run=False)
        return _t("The credit note is prepared: open it from the summary, check and issue it.")

    def _prepare(self, *, dry_run: bool) -> Invoice:
        # A discount is taken back by a negative amount; people type what its line says, without the sign.
        typed = {line_id: self.cleaned_data[_name(line_id)] or 0 for line_id in self.left}
        amounts = {line_id: cents if self.left[line_id] > 0 else -cents for line_id, cents in typed.items()}
        return prepare_credit_note(
            invoice_id=self.target.pk,
            amounts=amounts,
            reason=self.cleaned_data.get("reason") or "–",
            seen_credited_cents=self.cleaned_data["credited"],
            dry_run=dry_run,
            actor=self.actor,
            at=self.at,
        )


class CancelForm(CreditedForm):
    """All of it, so that its month can be invoiced again."""

    def perform(self) -> str:
        """Cancel it."""
        cancel_invoice(
            invoice_id=self.target.pk,
            reason=self.cleaned_data["reason"],
            seen_credited_cents=self.cleaned_data["credited"],
            actor=self.actor,
            at=self.at,
        )
        return _t("The invoice is cancelled. Close its month again to invoice it anew.")


class GiveBackForm(ReasonForm[Invoice]):
    """For all settled months that late usage made cheaper."""

    refusals = (UnableToSettle,)

    def perform(self) -> str:
        """Give it back."""
        given = return_lowered_usage(
            organization_id=self.target.organization_id,
            reason=self.cleaned_data["reason"],
            actor=self.actor,
            at=self.at,
        )
        return given_back_sentence(given, self.target.currency)


class IssueForm(ActionForm[Invoice]):
    """Issues the draft of a credit note that the person saw."""

    refusals = (UnableToSettle,)
    seen = forms.CharField(widget=forms.HiddenInput)
    issue_date = forms.DateField(label=capfirst(_("issue date")), widget=UnfoldAdminSingleDateWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("seen", self.target.fingerprint)
        self.initial.setdefault("issue_date", local_day(self.at))

    def perform(self) -> str:
        """Issue it."""
        note = issue_credit_note(credit_note_id=self.target.pk, **self.cleaned_data, actor=self.actor, at=self.at)
        return _t("Credit note %(number)s is issued.") % {"number": note.number}


class DiscardForm(ReasonForm[Invoice]):
    """Takes nothing back."""

    refusals = (UnableToSettle,)

    def perform(self) -> str:
        """Discard it."""
        discard_credit_note(
            credit_note_id=self.target.pk, reason=self.cleaned_data["reason"], actor=self.actor, at=self.at
        )
        return _t("The credit note is discarded.")


def given_back_sentence(given: Sequence[GivenBack], currency: str) -> str:
    """What went back, and by which credit notes."""
    notes = [str(note) for each in given for note in each.credit_notes]
    return _t("Given back: %(credits)s %(currency)s of credits; credit notes: %(notes)s.") % {
        "credits": formatting.format_amount(sum(each.returned_cents for each in given)),
        "currency": currency,
        "notes": ", ".join(notes) or _t("none"),
    }


def _name(line_id: int) -> str:
    return f"line_{line_id}"


def _is_issued(invoice: Invoice) -> bool:
    is_issued = invoice.kind == Invoice.Kind.INVOICE and invoice.document_state == "issued"
    return is_issued and not invoice.released


def _may_be_credited(invoice: Invoice) -> bool:
    return _is_issued(invoice) and invoice.payment_state not in OVER and draft_credit_note(invoice.pk) is None


def _has_lowered(invoice: Invoice) -> bool:
    if invoice.kind != Invoice.Kind.INVOICE or not any(note["code"] == LOWERED for note in invoice.review_notes):
        return False
    later = Invoice.objects.filter(
        organization=invoice.organization_id,
        kind=Invoice.Kind.INVOICE,
        consumption_month__gt=invoice.consumption_month,
    )
    return invoice.document_state != "discarded" and not later.exclude(document_state="discarded").exists()


def _is_draft_note(invoice: Invoice) -> bool:
    return invoice.kind == Invoice.Kind.CREDIT_NOTE and invoice.document_state == "draft"


CREDITING_ACTIONS: tuple[PageAction[Invoice], ...] = (
    PageAction(
        "credit",
        _("Credit…"),
        CreditForm,
        PERMISSION,
        "undo",
        description=_("A draft of a credit note, to be checked and issued."),
        submit=_("Prepare"),
        is_offered=_may_be_credited,
    ),
    PageAction(
        "cancel-invoice",
        _("Cancel and re-invoice"),
        CancelForm,
        PERMISSION,
        "event_repeat",
        description=_("All of it is credited, and what it billed is unbilled: close its month again then."),
        needs_fresh_factor=True,
        submit=_("Cancel the invoice"),
        is_offered=_is_issued,
    ),
    PageAction(
        "give-back",
        _("Give back"),
        GiveBackForm,
        PERMISSION,
        "settings_backup_restore",
        description=_("Late usage made settled months cheaper: what was billed is credited, credits are returned."),
        needs_fresh_factor=True,
        submit=_("Give back"),
        is_offered=_has_lowered,
    ),
    PageAction(
        "issue-credit-note",
        _("Issue"),
        IssueForm,
        PERMISSION,
        "task_alt",
        description=_("It gets its number and cannot be changed any more."),
        needs_fresh_factor=True,
        submit=_("Issue"),
        is_offered=_is_draft_note,
    ),
    PageAction(
        "discard-credit-note",
        _("Discard"),
        DiscardForm,
        PERMISSION,
        "delete",
        submit=_("Discard"),
        is_offered=_is_draft_note,
    ),
)
