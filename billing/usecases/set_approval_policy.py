"""Set from which amounts on a second person has to approve."""

from django.db import transaction
from msgspec import structs

from billing.domain.approvals import Policy
from billing.models import ApprovalPolicy
from billing.usecases._permissions import require
from organizations.models import User


@transaction.atomic
def set_approval_policy(*, policy: Policy, actor: User | None) -> ApprovalPolicy:
    """Give the legal entity these limits; what changes is in the log of configuration changes. Raises NotAllowed."""
    require(actor, "billing.change_approvalpolicy")
    row = ApprovalPolicy.objects.select_for_update().get()
    for name, limit in structs.asdict(policy).items():
        setattr(row, name, limit)
    row.save()
    return row
