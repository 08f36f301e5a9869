"""Accounts that are closed and whose last month is billed."""

from django.db.models import Q

from billing.models import CloseOutcome, UsageMonth
from organizations.models import Organization


def is_account_over(organization: Organization) -> bool:
    """Whether an account is closed and its last month settled: issued (and not replaced since), or nothing to bill.

    Never of a sub-organization that was billed on the invoice of its parent: its credits are its parent's, too.
    """
    if organization.closed_on is None:
        return False
    outcome = (
        CloseOutcome.objects.filter(organization=organization, month=organization.closed_on.replace(day=1))
        .exclude(kind=CloseOutcome.Kind.ON_PARENT)
        .select_related("invoice")
        .first()
    )
    if outcome is None:
        return False
    if outcome.invoice is None:
        return outcome.kind == CloseOutcome.Kind.NIL
    return outcome.invoice.document_state == "issued" and not outcome.invoice.released


def has_unbilled_usage(organization: Organization) -> bool:
    """Whether usage of a payer or its sub-organizations waits for a close."""
    tree = Q(organization=organization) | Q(organization__parent=organization)
    return UsageMonth.objects.filter(tree, unbilled=True).exists()
