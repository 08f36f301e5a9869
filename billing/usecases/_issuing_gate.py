"""What stands between a computed draft and its number."""

from datetime import date

from billing.domain.assembly import Draft
from billing.domain.facts import Reason
from billing.usecases._close_batch import Result


def obstacle(result: Result, issue_date: date) -> Reason | None:
    """Why a payer's month cannot be issued on that day, None when nothing is in the way."""
    if not isinstance(result.assembled, Draft):
        return result.assembled.reason
    if result.existing is not None and result.existing.hold_reason:
        return Reason("on_hold", {"reason": result.existing.hold_reason})
    if result.page is not None and result.page.open_findings:
        return Reason("open_findings", {"count": result.page.open_findings})
    due_date = result.assembled.due_date
    if due_date is not None and due_date < issue_date:
        return Reason("due_date_before_issue", {"day": due_date.isoformat()})
    return None
