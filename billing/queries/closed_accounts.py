"""Accounts that are closed and whose last month is billed."""

from billing.models import CloseOutcome
from organizations.models import Organization


def is_account_over(organization: Organization) -> bool:
    """Whether an account is closed and its last month settled: issued (and not replaced since), or nothing to bill."""
    if organization.closed_on is None:
        return False
    last = CloseOutcome.objects.filter(
        organization=organization, month=organization.closed_on.replace(day=1)
    ).select_related("invoice")
    outcome = last.first()
    if outcome is None:
        return False
    if outcome.invoice is None:
        return outcome.kind == CloseOutcome.Kind.NIL
    return outcome.invoice.document_state == "issued" and not outcome.invoice.released
