"""The log of configuration changes: who changed which setting, price, customer or right, from what to what."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from auditlog.models import LogEntry
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RadioFilter, RangeDateFilter
from unfold.decorators import display

from billing import formatting
from billing.domain.money import format_cents
from billing.domain.quantities import format_micro
from organizations.admin._base import ReadOnlyAdmin

admin.site.unregister(LogEntry)

COLOURS = {"create": "success", "update": "info", "delete": "danger"}
ACTIONS = {
    LogEntry.Action.CREATE: ("create", _("added")),
    LogEntry.Action.UPDATE: ("update", _("changed")),
    LogEntry.Action.DELETE: ("delete", _("deleted")),
    LogEntry.Action.ACCESS: ("access", _("seen")),
}
EMPTY = {"None", "", None}
SHOWN = 3


class Change(NamedTuple):
    """What became of one column, as people read it."""

    name: str
    before: str
    after: str

    def in_short(self) -> str:
        """Such as `City: Paris → Nantes`, `City: Nantes` when there was none."""
        return f"{self.name}: {self.before} → {self.after or '–'}" if self.before else f"{self.name}: {self.after}"


class KindFilter(RadioFilter):
    """Entries of one kind of row, of those that are logged."""

    title = _("what")
    parameter_name = "kind"
    horizontal = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The models that are logged, in their own words."""
        from auditlog.registry import auditlog

        models = sorted(auditlog.get_models(), key=lambda model: str(model._meta.verbose_name_plural))
        return [(model._meta.label_lower, capfirst(model._meta.verbose_name_plural)) for model in models]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Apply the choice."""
        app, _dot, model = str(self.value() or "").partition(".")
        return queryset.filter(content_type__app_label=app, content_type__model=model) if model else queryset


@admin.register(LogEntry)
class ConfigurationChangeAdmin(ReadOnlyAdmin[LogEntry]):
    """For the auditor: entries are added by what they tell of, and nobody edits them."""

    list_display = ["timestamp", "who", "kind", "what", "row", "first_changes"]
    list_display_links = ["timestamp"]
    list_select_related = ["actor", "content_type"]
    list_filter = [
        KindFilter,
        ("action", ChoicesDropdownFilter),
        ("actor", AutocompleteSelectFilter),
        ("timestamp", RangeDateFilter),
    ]
    search_fields = ["object_repr__istartswith", "actor_email__istartswith"]
    search_help_text = _("Beginning of what was changed, or of somebody's e-mail address")
    date_hierarchy = "timestamp"
    dates_follow_key = True
    ordering = ["-pk"]
    fields = ["timestamp", "who", "kind", "what", "row", "all_changes"]
    readonly_fields = ["who", "kind", "what", "row", "all_changes"]
    empty_hint = _("Whoever changes a price, a setting, an organization or somebody's rights leaves an entry here.")

    @display(description=_("who"))
    def who(self, entry: LogEntry) -> str:
        """A person, or the key of a program; otherwise a command or the scheduler."""
        if key := (entry.additional_data or {}).get("api_key"):
            return gettext("API key %(name)s") % {"name": key}
        return str(entry.actor or entry.actor_email or gettext("system"))

    @display(description=_("action"), label=COLOURS)
    def kind(self, entry: LogEntry) -> tuple[str, str]:
        """Added, changed or deleted."""
        code, text = ACTIONS[entry.action]
        return code, str(text)

    @display(description=_("what"))
    def what(self, entry: LogEntry) -> str:
        """The kind of row."""
        model = entry.content_type.model_class()
        return str(capfirst(model._meta.verbose_name) if model else entry.content_type.name)

    @display(description=_("which"))
    def row(self, entry: LogEntry) -> Any:
        """The row as it was called then; a link while it is there."""
        model = entry.content_type.model_class()
        try:
            url = formatting.change_url(model._meta.label_lower, entry.object_pk) if model else ""
        except NoReverseMatch:
            url = ""
        if not url or entry.action == LogEntry.Action.DELETE:
            return entry.object_repr
        return format_html('<a class="desk-link" href="{}">{}</a>', url, entry.object_repr)

    @display(description=_("changes"))
    def first_changes(self, entry: LogEntry) -> str:
        """The first few columns."""
        changes = list(changes_of(entry))
        shown = [change.in_short() for change in changes[:SHOWN]]
        return "; ".join(shown) + (" …" if len(changes) > SHOWN else "")

    @display(description=_("changes"))
    def all_changes(self, entry: LogEntry) -> Any:
        """Every column before and after."""
        rows = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", changes_of(entry))
        return format_html(
            '<div class="desk-scroll"><table class="desk-table"><thead><tr><th></th><th>{}</th><th>{}</th></tr></thead>'
            "<tbody>{}</tbody></table></div>",
            gettext("Before"),
            gettext("After"),
            rows,
        )


def changes_of(entry: LogEntry) -> Iterator[Change]:
    """What an entry says of each column, with figures as decimals."""
    model = entry.content_type.model_class()
    for name, values in (entry.changes or {}).items():
        title = _title(model, name)
        if isinstance(values, dict):  # a many-to-many relation
            objects = ", ".join(values.get("objects", ()))
            is_added = values.get("operation") == "add"
            yield Change(title, "" if is_added else objects, objects if is_added else "")
        else:
            before, after = values
            if not (before in EMPTY and after in EMPTY):
                yield Change(title, _decimal(name, before), _decimal(name, after))


def _title(model: type[Model] | None, name: str) -> str:
    if model is None:
        return name
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    return str(capfirst(getattr(field, "verbose_name", name)))


def _decimal(name: str, value: Any) -> str:
    """Columns end in their unit."""
    if value in EMPTY:
        return ""
    text = str(value)
    if not text.removeprefix("-").isdecimal():
        return text
    number = int(text)
    if name.endswith("_cents"):
        return format_cents(number)
    if name.endswith("_micro"):
        return format_micro(number)
    if name.endswith("_ppm"):
        return formatting.format_percent(number, 1_000_000)
    return formatting.format_percent(number, 10_000) if name.endswith("_bp") else text
