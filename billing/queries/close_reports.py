"""What a close led to: counts, totals per currency, and who is blocked."""

from collections.abc import Mapping
from typing import Self

from django.db.models import Count, Sum
from msgspec import Struct

from billing.domain.periods import Month
from billing.models import CloseOutcome
from billing.queries.accounts import Scope


class Totals(Struct):
    """Sums of invoices in one currency, in cents."""

    subtotal_cents: int = 0
    vat_cents: int = 0
    total_cents: int = 0

    def add(self, subtotal_cents: int, vat_cents: int) -> None:
        """Count one more invoice."""
        self.subtotal_cents += subtotal_cents
        self.vat_cents += vat_cents
        self.total_cents += subtotal_cents + vat_cents


class BlockedOrganization(Struct, frozen=True):
    """Who could not be billed, and why."""

    external_id: str
    name: str
    reason_code: str
    reason_values: Mapping[str, str | int]


class Difference(Struct, frozen=True):
    """What a dry run would change: the total of a draft, None where there is none."""

    external_id: str
    name: str
    currency: str
    before_cents: int | None
    after_cents: int | None


class CloseReport(Struct):
    """Outcome counts of a month; `differences` only after a dry run."""

    invoices: int = 0
    nil: int = 0
    blocked: int = 0
    totals: dict[str, Totals] = {}
    blocked_organizations: list[BlockedOrganization] = []
    differences: list[Difference] = []

    @classmethod
    def load(cls, month: Month, scope: Scope) -> Self:
        """Read the stored outcomes of a month."""
        outcomes = CloseOutcome.objects.filter(scope.q("organization"), month=month.first_day)
        counts = dict(outcomes.order_by().values_list("kind").annotate(Count("id")))
        report = cls(counts.get("invoice", 0), counts.get("nil", 0), counts.get("blocked", 0))
        # From the outcomes to their invoices: with conditions on the month of both, PostgreSQL compares all with all.
        sums = (
            outcomes.filter(kind="invoice")
            .order_by("invoice__currency")
            .values_list("invoice__currency")
            .annotate(Sum("invoice__subtotal_cents"), Sum("invoice__vat_cents"), Sum("invoice__total_cents"))
        )
        report.totals = {currency: Totals(*values) for currency, *values in sums if currency}
        report.blocked_organizations = [
            BlockedOrganization(*values)
            for values in outcomes.filter(kind="blocked")
            .order_by("organization__external_id")
            .values_list("organization__external_id", "organization__name", "reason_code", "reason_values")
        ]
        return report
