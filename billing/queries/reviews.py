"""What reviewing a month's drafts needs to know: thresholds, and what somebody has acknowledged."""

from collections.abc import Collection
from datetime import date

from django.db.models import Q
from msgspec import Struct

from billing.domain.review import Thresholds
from billing.models import Acknowledgement, ReviewThresholds
from billing.queries.among import among


class Reviews(Struct):
    """Thresholds (None: of everybody) and acknowledged findings (their digests) of the payers of a batch."""

    thresholds: dict[int | None, Thresholds]
    acknowledged: dict[int, set[str]]

    def thresholds_of(self, payer_id: int) -> Thresholds:
        """The payer's own thresholds, or those of everybody."""
        return self.thresholds.get(payer_id) or self.thresholds[None]

    def acknowledged_of(self, payer_id: int) -> Collection[str]:
        """The findings of the month that somebody has acknowledged."""
        return self.acknowledged.get(payer_id, ())


def load_reviews(month: date, payer_ids: Collection[int]) -> Reviews:
    """Load what the review of a consumption month (its first day) needs, in two queries."""
    rows = ReviewThresholds.objects.filter(Q(organization__isnull=True) | among("organization", payer_ids))
    thresholds: dict[int | None, Thresholds] = {None: Thresholds()}
    for organization_id, *values in rows.values_list("organization_id", *Thresholds.__struct_fields__):
        thresholds[organization_id] = Thresholds(*values)
    acknowledged: dict[int, set[str]] = {}
    given = Acknowledgement.objects.filter(among("organization", payer_ids), month=month)
    for payer_id, finding in given.order_by().values_list("organization_id", "finding"):
        acknowledged.setdefault(payer_id, set()).add(finding)
    return Reviews(thresholds, acknowledged)
