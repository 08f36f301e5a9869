"""What organizations run, and what it consumed."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from billing import formatting
from billing.admin import _displays as displays
from billing.admin._base import ComputedAdmin
from billing.domain.quantities import format_micro
from billing.models import Resource, UsageRecord
from billing.queries.usage import usage_of
from organizations.admin._autocomplete import is_key
from organizations.admin._exports import exports
from organizations.models import Organization
from organizations.queries import find_organizations

# A sum over what one line of an invoice is made of is quick; over a whole month it is not.
SUMMED_WITH = ("organization__id__exact", "resource__id__exact")
# The usage detail of an invoice links to exactly its records.
LINKED = {"month__exact", "meter__id__exact", "zone__exact", "started_at__lt", "ended_at__gt", "started_at__gte"}


class OrganizationFilter(AutocompleteSelectFilter):
    """Usage of one organization, looked up in the months in which it has some."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageRecord]) -> QuerySet[UsageRecord]:
        """Apply the choice."""
        pk = _key_of(self)
        return queryset if pk is None else usage_of(queryset, Organization.objects.filter(pk=pk))


class ResourceFilter(AutocompleteSelectFilter):
    """Usage of one resource, which belongs to one organization."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageRecord]) -> QuerySet[UsageRecord]:
        """Apply the choice."""
        pk = _key_of(self)
        if pk is None:
            return queryset
        return usage_of(queryset.filter(resource=pk), Organization.objects.filter(resources=pk))


def _key_of(chosen: AutocompleteSelectFilter) -> int | None:
    """The key that was chosen, None without a choice; what cannot be one is refused like any other forged filter."""
    pk = chosen.value()
    if not pk:
        return None
    if not is_key(pk):
        raise IncorrectLookupParameters
    return int(pk)


@admin.register(Resource)
class ResourceAdmin(ComputedAdmin[Resource]):
    """Applications, managed services, buckets: the platform reports them."""

    list_display = ["name", "external_id", displays.link_column("organization", _("organization"))]
    list_select_related = ["organization"]
    list_filter = [("organization", AutocompleteSelectFilter)]
    search_fields = ["external_id"]
    search_help_text = _("Identifier, or beginning of the organization's name or identifier")
    search_exact = ("external_id",)
    search_organization = "organization"
    empty_hint = _("The platform reports resources together with their usage.")


@admin.register(UsageRecord)
class UsageRecordAdmin(ComputedAdmin[UsageRecord]):
    """Measured consumption, one row per record and month."""

    list_display = [
        "started_at",
        "ended_at",
        displays.link_column("organization", _("organization")),
        displays.link_column("resource", _("resource")),
        displays.link_column("meter", _("meter")),
        "zone",
        "quantity",
        "event_id",
    ]
    list_select_related = ["organization", "resource", "meter"]
    list_filter = [
        ("organization", OrganizationFilter),
        ("resource", ResourceFilter),
    ]
    sortable_by = ()
    search_fields = ["organization__name"]
    search_help_text = _("Beginning of the organization's name or identifier")
    date_hierarchy = "month"
    fields = [
        ("organization", "resource"),
        ("meter", "zone"),
        "month",
        ("started_at", "ended_at"),
        "quantity",
        ("source", "event_id", "part"),
        "received_at",
    ]
    readonly_fields = ["quantity"]
    list_before_template = "admin/usage_sum.html"
    empty_hint = _("No usage record matches. Usage arrives through import_data and the platform's API.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[UsageRecord], search_term: str
    ) -> tuple[QuerySet[UsageRecord], bool]:
        """Find the usage of organizations by the beginning of their name or identifier."""
        term = search_term.strip()
        return (usage_of(queryset, find_organizations(term)) if term else queryset), False

    @exports(lambda record: Decimal(format_micro(record.quantity_micro)))
    @display(description=_("quantity"), formatting="price")
    def quantity(self, record: UsageRecord) -> Any:
        """In the meter's unit; whole seconds as a duration."""
        return formatting.nowrap(formatting.format_quantity(record.quantity_micro, record.meter.unit))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Usage details of invoices link to their records."""
        return lookup in LINKED or super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show above the list what its records come to, when they are those of one resource."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and "cl" in context and all(request.GET.get(name) for name in SUMMED_WITH):
            units = context["cl"].queryset.order_by().values("meter__code", "meter__unit")
            context["usage_sums"] = [
                {"meter": meter, "records": records, "quantity": formatting.format_quantity(total, unit)}
                for meter, unit, records, total in units.annotate(n=Count("*"), q=Sum("quantity_micro")).values_list(
                    "meter__code", "meter__unit", "n", "q"
                )
            ]
        return response
