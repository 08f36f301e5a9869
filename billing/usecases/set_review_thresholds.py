"""Set from when on drafts are conspicuous, of one organization or of all that have no thresholds of their own."""

from django.db import transaction
from msgspec import structs

from billing.domain.review import Thresholds
from billing.models import ReviewThresholds
from billing.usecases._permissions import require
from organizations.models import User


@transaction.atomic
def set_review_thresholds(
    *, organization_id: int | None, thresholds: Thresholds, actor: User | None
) -> ReviewThresholds:
    """Give a payer thresholds of its own, or everybody (None), from the next computed draft on.

    What changes is in the log of configuration changes. Raises NotAllowed.
    """
    require(actor, "billing.change_reviewthresholds")
    row = ReviewThresholds.objects.select_for_update().filter(organization=organization_id).first()
    row = row or ReviewThresholds(organization_id=organization_id)
    for name, value in structs.asdict(thresholds).items():
        setattr(row, name, value)
    row.save()
    return row
