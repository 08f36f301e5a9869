"""Who may do what at the desk, and who did what."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from billing.usecases.ensure_roles import ROLES
from organizations.admin._base import DeskAdmin, ReadOnlyAdmin

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, DeskAdmin[Group]):
    """The product's five groups are as `migrate` makes them; others may be added beside them."""

    search_fields = ["name"]
    filter_horizontal = ["permissions"]

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """The next `migrate` would undo a change of a group of the product."""
        return super().has_change_permission(request, obj) and (obj is None or obj.name not in ROLES)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """The next `migrate` would make it again."""
        return super().has_delete_permission(request, obj) and obj is not None and obj.name not in ROLES


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin[LogEntry]):
    """What people changed at the desk."""

    list_display = ["action_time", "user", "content_type", "object_repr", "action", "message"]
    list_display_links = None
    list_select_related = ["user", "content_type"]
    list_filter = [("user", AutocompleteSelectFilter)]
    search_fields = ["object_repr"]
    date_hierarchy = "action_time"
    dates_follow_key = True
    empty_hint = _("Whoever adds, changes or deletes something at the desk leaves a line here.")

    @admin.display(description=_("action"))
    def action(self, entry: LogEntry) -> Any:
        """Added, changed or deleted."""
        return entry.get_action_flag_display()

    @admin.display(description=_("details"))
    def message(self, entry: LogEntry) -> str:
        """What was changed."""
        return entry.get_change_message()
