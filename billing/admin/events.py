"""Who did what to documents and money: rows that nobody can change."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter

from billing.admin import _displays as displays
from billing.admin._base import ComputedAdmin
from billing.admin._event_words import SENTENCES, details_of, sentence_of
from billing.models import Event


class KindFilter(RadioFilter):
    """Events of one kind."""

    title = _("event")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every kind that has words."""
        return list(SENTENCES.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Apply the choice."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ComputedAdmin[Event]):
    """Newest first."""

    list_display = [
        "at",
        "what",
        "details",
        displays.link_column("organization", _("organization")),
        displays.link_column("invoice", _("invoice")),
        "actor",
        "reason",
    ]
    list_display_links = None
    list_select_related = ["organization", "invoice", "actor"]
    list_filter = [KindFilter, ("actor", AutocompleteSelectFilter), ("organization", AutocompleteSelectFilter)]
    search_fields = ["organization__name"]
    search_help_text = _("Name or identifier of the organization, from the beginning")
    search_organization = "organization"
    date_hierarchy = "at"
    dates_follow_key = True
    fields = ["at", "what", "details", "organization", "invoice", "actor", "reason"]
    readonly_fields = ["what", "details"]
    empty_hint = _(
        "Issuing, adjusting, payments, corrections: whatever people do to documents and money leaves a line."
    )

    @admin.display(description=_("event"))
    def what(self, event: Event) -> str:
        """The event in words."""
        return sentence_of(event)

    @admin.display(description=_("details"))
    def details(self, event: Event) -> str:
        """What it was about."""
        return details_of(event, currency=event.invoice.currency if event.invoice else "")
