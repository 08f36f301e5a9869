"""Finding organizations among hundreds of thousands."""

from django.db.models import Q, QuerySet

from organizations.models import Organization

FEW = 500


def few_ids(organizations: QuerySet[Organization]) -> list[int] | None:
    """Return the keys of the organizations when there are few; None says that there are many.

    Rows of a few are best looked up by key, those of many are met soon in any order: a database guesses badly which.
    """
    ids = list(organizations.order_by().values_list("pk", flat=True)[: FEW + 1])
    return ids if len(ids) <= FEW else None


def find_organizations(term: str) -> QuerySet[Organization]:
    """Return the organizations whose name or identifier begins with a term; if none does, those whose name contains it.

    The beginning is found with the two indexes on upper case; only what they do not find is searched for in full.
    """
    term = term.strip()
    begins = Organization.objects.filter(Q(name__istartswith=term) | Q(external_id__istartswith=term))
    return begins if begins.exists() else Organization.objects.filter(name__icontains=term)
