"""What every list and page of the desk shares."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import ShowFacets
from django.db import connection
from django.db.models import Max, Min, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from organizations.admin._exports import ExportsMixin
from organizations.admin._paginator import DeskPaginator
from organizations.admin._unfold import ModelAdmin
from organizations.queries import few_ids, find_organizations

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DEFAULT_HINT = _("Nothing matches. Search for something else, or take a filter away.")


class DeskAdmin[M: Model](ExportsMixin[M], ModelAdmin[M]):
    """Stays fast whatever the number of rows: counts stop early, searches use an index, related rows come along.

    `search_exact` names unique columns that a search compares as they are; `search_organization` is the path to the
    organization that a search by name or identifier finds. `search_fields` only makes the search box appear.
    """

    paginator = DeskPaginator
    show_full_result_count = False
    list_per_page = 50
    list_fullwidth = True
    # Counting each choice of each filter would read everything several times.
    show_facets = ShowFacets.NEVER
    list_filter_submit = True
    empty_hint: ClassVar["StrOrPromise"] = DEFAULT_HINT
    search_exact: ClassVar[tuple[str, ...]] = ()
    # A unique column whose beginning is enough; PostgreSQL has an index of beginnings for these.
    search_beginning: ClassVar[str | None] = None
    search_organization: ClassVar[str | None] = None
    # The column of the date hierarchy grows with the key and has no index: its bounds are the first and last rows'.
    dates_follow_key: ClassVar[bool] = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """Search what an index finds: an exact reference first, else one that begins so, else the organization."""
        term = search_term.strip()
        if not term or not (self.search_exact or self.search_organization):
            return super().get_search_results(request, queryset, search_term)
        exact = Q()
        for column in self.search_exact:
            exact |= Q(**{column: term})
        if self.search_exact and (self.search_organization is None or queryset.filter(exact).exists()):
            return queryset.filter(exact), False
        if self.search_beginning:
            begins = queryset.filter(**{f"{self.search_beginning}__startswith": term})
            if begins.exists():
                return begins, False
        organizations = find_organizations(term)
        ids = few_ids(organizations)
        return queryset.filter(**{f"{self.search_organization}__in": organizations if ids is None else ids}), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> M | None:
        """Find a row; one that is about to be changed is locked, so that it is judged and written as it is now."""
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not connection.in_atomic_block:
            return found
        return self.model._default_manager.select_for_update(of=("self",)).filter(pk=found.pk).first()

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        """Of a row that was there, write what people edit: counters and the like belong to the use cases."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        fields = obj._meta.concrete_fields
        obj.save(update_fields=[field.name for field in fields if field.editable and not field.primary_key])

    def date_bounds(self) -> tuple[Any, Any]:
        """The first and last value of the date hierarchy's column, None when there is none."""
        rows, column = self.model._default_manager.order_by(), self.date_hierarchy or ""
        if self.dates_follow_key:
            values = rows.values_list(column, flat=True)
            return values.order_by("pk").first(), values.order_by("-pk").first()
        bounds = rows.aggregate(first=Min(column), last=Max(column))
        return bounds["first"], bounds["last"]


class ReadOnlyAdmin[M: Model](DeskAdmin[M]):
    """Of what is computed: everybody who may see it sees it, nobody edits it here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Computed rows are never added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Computed rows are never edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Computed rows are never deleted."""
        return False
