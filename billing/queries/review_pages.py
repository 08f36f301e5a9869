"""The review of one draft as its page shows it: findings, who acknowledged them, who approved what."""

from dataclasses import dataclass

from billing.domain.facts import Reason
from billing.domain.review import SEVERITIES, Finding, stored_findings
from billing.models import Acknowledgement, Approval, Invoice
from billing.queries.approvals import load_authors_of, printed_parties_of, why_stored_draft_needs_approval
from billing.queries.draft_checks import e_invoice_findings


@dataclass(frozen=True)
class Reviewed:
    """A finding, and who acknowledged it."""

    finding: Finding
    acknowledgement: Acknowledgement | None

    @property
    def is_open(self) -> bool:
        """Whether it keeps the draft from being issued."""
        return self.finding.severity == "blocking" and self.acknowledgement is None

    @property
    def may_be_acknowledged(self) -> bool:
        """Whether somebody may say why the draft is issued all the same; an e-invoice has to be a valid one."""
        return self.is_open and not self.finding.is_of_e_invoice


@dataclass(frozen=True)
class Approved:
    """An approval; it counts when it is of what the document says now, by somebody who did not change it."""

    approval: Approval
    counts: bool


@dataclass(frozen=True)
class ReviewPage:
    """`needed` says why a draft needs a second person; an issued document needs nobody any more."""

    findings: list[Reviewed]
    needed: tuple[Reason, ...]
    approvals: list[Approved]
    authors: frozenset[int]

    def may_be_approved_by(self, person_id: int | None) -> bool:
        """Whether somebody did not change the document, and has not approved it yet."""
        approvers = {approved.approval.approver_id for approved in self.approvals if approved.counts}
        return person_id not in self.authors | approvers

    @property
    def is_approved(self) -> bool:
        """Whether somebody has approved what the document says now."""
        return any(approved.counts for approved in self.approvals)


def load_review(invoice: Invoice) -> ReviewPage:
    """Load the review of a document in a fixed number of queries."""
    # The section of adjustments has the conflicts.
    noted = [finding for finding in stored_findings(invoice.review_notes) if not finding.is_conflict]
    findings = sorted([*e_invoice_findings(invoice), *noted], key=lambda finding: SEVERITIES.index(finding.severity))
    acknowledged = _acknowledged(invoice) if any(finding.severity == "blocking" for finding in findings) else {}
    approvals = list(invoice.approvals.select_related("approver"))
    needed = why_stored_draft_needs_approval(invoice) if invoice.document_state == "draft" else ()
    authors = load_authors_of(invoice) if approvals or needed else frozenset()
    # What is issued keeps its parties; those of a draft are as they are now.
    parties = printed_parties_of(invoice) if approvals and invoice.document_state == "draft" else None

    def is_same(approval: Approval) -> bool:
        return approval.fingerprint == invoice.fingerprint and parties in (None, approval.parties)

    return ReviewPage(
        findings=[
            Reviewed(finding, acknowledged.get(finding.digest) if finding.severity == "blocking" else None)
            for finding in findings
        ],
        needed=needed,
        approvals=[
            Approved(approval, is_same(approval) and approval.approver_id not in authors) for approval in approvals
        ],
        authors=authors,
    )


def _acknowledged(invoice: Invoice) -> dict[str, Acknowledgement]:
    of_month = Acknowledgement.objects.filter(organization=invoice.organization_id, month=invoice.consumption_month)
    return {row.finding: row for row in of_month.select_related("author")}
