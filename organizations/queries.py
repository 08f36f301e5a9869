"""Finding organizations among hundreds of thousands."""

from django.db.models import Q, QuerySet

from organizations.models import Organization


def find_organizations(term: str) -> QuerySet[Organization]:
    """Return the organizations whose name or identifier begins with a term; if none does, those whose name contains it.

    The beginning is found with the two indexes on upper case; only what they do not find is searched for in full.
    """
    term = term.strip()
    begins = Organization.objects.filter(Q(name__istartswith=term) | Q(external_id__istartswith=term))
    return begins if begins.exists() else Organization.objects.filter(name__icontains=term)
