"""Reviewing on the invoice's page: what the review found, acknowledging it, and the yes of a second person."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.html import escape
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSingleDateWidget

from billing.admin._actions import PageAction, ReasonForm
from billing.admin._draft_forms import DraftForm
from billing.domain.review import stored_findings
from billing.models import Invoice
from billing.queries.approvals import printed_parties_of, why_stored_draft_needs_approval
from billing.queries.reasons import reason_sentence
from billing.queries.review_pages import Reviewed, ReviewPage
from billing.usecases.acknowledge_finding import UnableToAcknowledge, acknowledge_finding
from billing.usecases.approve_invoice import UnableToApprove, approve_invoice
from billing.usecases.ask_for_check import ask_for_check
from billing.usecases.issue_invoice import UnableToIssue, issue_invoice

# Symbol of a finding: an open one stands out, one that is settled calms down.
ICONS = {"blocking": "block", "warning": "flag", "info": "info", "settled": "check_circle"}
SEVERITY_LABELS = {
    "blocking": _("to be acknowledged"),
    "warning": _("warning"),
    "info": _("for information"),
    "settled": _("acknowledged"),
}
TO_BE_MENDED = _("to be mended before issuing")


class AcknowledgeForm(DraftForm, ReasonForm[Invoice]):
    """Asks why the invoice may be issued in spite of a finding."""

    refusals = (UnableToAcknowledge,)
    finding = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = self.data.get("finding") or self.initial.get("finding")
        for finding in stored_findings(self.target.review_notes):
            if finding.digest == asked:
                # Help texts are written as they are, and a sentence may name a meter.
                self.fields["reason"].help_text = escape(reason_sentence(finding.code, finding.values))

    def perform(self) -> str:
        """Acknowledge it."""
        acknowledge_finding(
            invoice_id=self.target.pk,
            finding=self.cleaned_data["finding"],
            reason=self.cleaned_data["reason"],
            seen=self.cleaned_data["seen"],
            actor=self.actor,
            at=self.at,
        )
        return _t("Acknowledged: this finding no longer keeps the invoice from being issued.")


class ApproveForm(DraftForm):
    """Nothing to fill in: the person has read the draft, and to whom it is made out."""

    refusals = (UnableToApprove,)
    parties = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("parties", printed_parties_of(self.target))

    def perform(self) -> str:
        """Approve it."""
        approve_invoice(
            invoice_id=self.target.pk,
            seen=self.cleaned_data["seen"],
            parties=self.cleaned_data["parties"],
            actor=self.actor,
            at=self.at,
        )
        return _t("Approved as it is: any change will need another approval.")


class IssueForm(DraftForm):
    """Issues the draft that the person saw."""

    refusals = (UnableToIssue,)
    issue_date = forms.DateField(
        label=capfirst(_("issue date")),
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text=_("Empty: today."),
    )

    def perform(self) -> str:
        """Issue it."""
        invoice = issue_invoice(
            invoice_id=self.target.pk,
            seen=self.cleaned_data["seen"],
            issue_date=self.cleaned_data["issue_date"],
            actor=self.actor,
            at=self.at,
        )
        return _t("Issued as %(number)s.") % {"number": invoice.number}


class CheckForm(DraftForm):
    """Nothing to fill in: a worker checks the draft as it is."""

    refusals = ()

    def perform(self) -> str:
        """Ask for it."""
        ask_for_check(invoice_id=self.target.pk, seen=self.cleaned_data["seen"], actor=self.actor, at=self.at)
        return _t("The e-invoice is checked within a minute: what is found shows on this page.")


def _is_ready(invoice: Invoice) -> bool:
    return (
        invoice.document_state == "draft"
        and invoice.kind == Invoice.Kind.INVOICE
        and not invoice.hold_reason
        and not invoice.open_findings
    )


def _may_be_approved(invoice: Invoice) -> bool:
    is_decided = invoice.document_state == "draft" and not invoice.hold_reason and not invoice.open_findings
    return is_decided and bool(why_stored_draft_needs_approval(invoice))


APPROVE_ACTIONS: tuple[PageAction[Invoice], ...] = (
    PageAction(
        "approve",
        _("Approve"),
        ApproveForm,
        "billing.approve_invoice",
        "verified",
        description=_("You are the second person: you neither changed it nor will issue it. Any change voids this."),
        submit=_("Approve"),
        is_offered=_may_be_approved,
    ),
)
ISSUE_ACTIONS: tuple[PageAction[Invoice], ...] = (
    PageAction(
        "issue",
        _("Issue"),
        IssueForm,
        "billing.issue_invoice",
        "send",
        description=_("It gets its number and cannot be changed any more: corrections are credit notes."),
        submit=_("Issue"),
        is_offered=_is_ready,
        needs_fresh_factor=True,
    ),
)
CHECK_ACTIONS: tuple[PageAction[Invoice], ...] = (
    PageAction(
        "check_e_invoice",
        _("Check the e-invoice"),
        CheckForm,
        "billing.adjust_invoice",
        "fact_check",
        description=_("Its electronic form is checked against the European and French rules; nothing changes."),
        submit=_("Check"),
        is_offered=lambda invoice: invoice.document_state == "draft",
    ),
)
FINDING_ACTIONS: tuple[PageAction[Invoice], ...] = (
    PageAction(
        "acknowledge",
        _("Acknowledge a finding"),
        AcknowledgeForm,
        "billing.adjust_invoice",
        "check",
        description=_("The invoice may be issued all the same; your reason stays in its history."),
        submit=_("Acknowledge"),
        is_offered=lambda invoice: invoice.document_state == "draft" and invoice.open_findings > 0,
    ),
)


def review_context(review: ReviewPage, urls: dict[str, str]) -> dict[str, Any]:
    """The review panel: `urls` has the addresses of the dialogs that this person may open here."""
    acknowledge_url = urls.get("acknowledge", "")
    return {
        "findings": [_finding(reviewed, acknowledge_url) for reviewed in review.findings],
        "approvals": review.approvals,
        "needed": [reason_sentence(reason.code, reason.values) for reason in review.needed],
        "is_approved": review.is_approved,
    }


def _finding(reviewed: Reviewed, acknowledge_url: str) -> dict[str, Any]:
    finding, acknowledgement = reviewed.finding, reviewed.acknowledgement
    look = "settled" if acknowledgement else finding.severity
    url = (
        f"{acknowledge_url}&{urlencode({'finding': finding.digest})}"
        if acknowledge_url and reviewed.may_be_acknowledged
        else ""
    )
    return {
        "look": look,
        "icon": ICONS[look],
        "label": TO_BE_MENDED if look == "blocking" and finding.is_of_e_invoice else SEVERITY_LABELS[look],
        "sentence": reason_sentence(finding.code, finding.values),
        "acknowledgement": acknowledgement,
        "url": url,
    }
