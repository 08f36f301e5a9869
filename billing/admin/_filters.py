"""Filters of the desk's lists; none of them reads the rows to offer its choices."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import FieldTextFilter, RadioFilter

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class EmptyFilter(RadioFilter):
    """Rows where a column is empty, or is not."""

    column: ClassVar[str]
    empty_label: ClassVar["StrOrPromise"] = _("Empty")
    filled_label: ClassVar["StrOrPromise"] = _("Not empty")

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, "StrOrPromise"]]:
        """The two choices."""
        return [("1", self.empty_label), ("0", self.filled_label)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Apply the choice."""
        if self.value() not in ("0", "1"):
            return queryset
        return queryset.filter(**{f"{self.column}__isnull": self.value() == "1"})


class TextFilter(FieldTextFilter):
    """Rows where a column contains what was typed."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Apply it; no column contains what PostgreSQL cannot even be asked for."""
        if "\0" in str(self.value() or ""):
            return queryset.none()
        found = super().queryset(request, queryset)
        return queryset if found is None else found
