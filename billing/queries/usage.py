"""Finding usage records among millions: their index begins with the month."""

from collections.abc import Collection
from datetime import date

from django.db.models import QuerySet

from billing.models import UsageMonth, UsageRecord
from organizations.models import Organization
from organizations.queries import few_ids


def months_with_usage(organization_ids: Collection[int]) -> list[date]:
    """Return the months in which some of the organizations have usage."""
    rows = UsageMonth.objects.filter(organization__in=organization_ids).order_by()
    return list(rows.values_list("month", flat=True).distinct())


def usage_of(records: QuerySet[UsageRecord], organizations: QuerySet[Organization]) -> QuerySet[UsageRecord]:
    """Return the records of organizations. Of a few they are looked up; those of many are met soon in any order."""
    ids = few_ids(organizations)
    if ids is None:
        return records.filter(organization__in=organizations)
    return records.filter(month__in=months_with_usage(ids), organization__in=ids)
