"""What pages with money share: columns with a unit are typed and shown as decimals, also to those who only look."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import transaction
from django.db.models import DateField, Field, Model
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext

from billing import formatting
from billing.admin import _displays as displays
from billing.admin._fields import check_day, field_of
from billing.domain.quantities import format_unit_price
from organizations.admin._base import DeskAdmin, ReadOnlyAdmin
from organizations.admin._unfold import TabularInline

if TYPE_CHECKING:
    from django.contrib.admin.options import BaseModelAdmin as _Options
else:

    class _Options:
        """The mixin stands before a class that has what it calls."""

        @classmethod
        def __class_getitem__(cls, _):
            return cls


class UnitsMixin[M: Model](_Options[M]):
    """Gives each column that ends in a unit (`_cents`, `_micro`, `_ppm`, `_bp`) its decimal form field and display."""

    currency_path = "currency"

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Type decimals where integers are kept, and days that a calendar here reaches."""
        if type(db_field) is DateField:
            kwargs.setdefault("validators", [check_day])
        exact = field_of(db_field.name)
        if exact is None:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return exact(
            label=capfirst(db_field.verbose_name),
            help_text=db_field.help_text,
            required=not (db_field.blank or db_field.null),
            initial=db_field.get_default() if db_field.has_default() else None,
        )

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> Any:
        """Show columns with a unit as decimals."""
        return [self._shown(field) for field in super().get_readonly_fields(request, obj)]

    def get_fieldsets(self, request: HttpRequest, obj: M | None = None) -> Any:
        """Show every column with a unit as decimals to those who may only look."""
        readonly = set(map(_name, self.get_readonly_fields(request, obj)))
        everything = not self._is_editable(request, obj)

        def shown(field: Any) -> Any:
            if isinstance(field, (list, tuple)):
                return [shown(part) for part in field]
            return self._shown(field) if everything or _name(field) in readonly else field

        return [
            (title, {**options, "fields": [shown(field) for field in options["fields"]]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def _is_editable(self, request: HttpRequest, obj: M | None) -> bool:
        return self.has_change_permission(request, obj) if obj else self.has_add_permission(request)

    def _shown(self, field: Any) -> Any:
        """The display of a column with a unit; anything else as it is."""
        if not isinstance(field, str) or field_of(field) is None or hasattr(self, field):
            return field
        made: dict[str, Any] = self.__dict__.setdefault("_unit_displays", {})
        if field not in made:
            made[field] = self._make_display(field)
        return made[field]

    def _make_display(self, field: str) -> Any:
        title = self.model._meta.get_field(field).verbose_name  # type: ignore[union-attr]  # columns, not relations
        if field.endswith("_cents"):
            return displays.money_column(field, title, currency=self.currency_path)
        write = {
            "_micro": formatting.format_number,
            "_ppm": lambda ppm: formatting.format_percent(ppm, 1_000_000),
            "_bp": lambda basis_points: formatting.format_percent(basis_points, 10_000),
            "_price": format_unit_price,
        }.get(field[field.rindex("_") :], str)
        return displays.plain_column(field, title, write)


class PerformsMixin[M: Model](_Options[M]):
    """For an admin whose form is a `UseCaseForm`: there is nothing left to save."""

    @transaction.atomic
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Undo what the use case wrote when something else on the page, such as a row of an inline, is refused."""
        response: HttpResponse = super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]
        if request.method == "POST" and "adminform" in (getattr(response, "context_data", None) or ()):
            transaction.set_rollback(True)
        return response

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        """The use case has written the row."""


class BillingAdmin[M: Model](UnitsMixin[M], DeskAdmin[M]):
    """A list and a page that may be edited."""


class ComputedAdmin[M: Model](UnitsMixin[M], ReadOnlyAdmin[M]):
    """A list and a page of what is computed."""


class UnitsInline[C: Model, P: Model](UnitsMixin[C], TabularInline[C, P]):  # type: ignore[misc]  # obj is the parent
    """Rows with units on the page of what they belong to."""

    extra = 0
    show_title = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything, to those who may only look: otherwise Django would put figures into disabled inputs."""
        fields = super().get_readonly_fields(request, obj)
        return fields if self._is_editable(request, obj) else [*fields, *map(self._shown, self.fields or ())]

    def _is_editable(self, request: HttpRequest, obj: Any) -> bool:
        parent = self.admin_site.get_model_admin(self.parent_model)
        if obj is not None and not parent.has_change_permission(request, obj):
            return False
        return self.has_change_permission(request, obj) or self.has_add_permission(request, obj)


class UseCaseForm[M: Model](forms.ModelForm[M]):
    """A form whose row a use case writes; what the use case refuses shows where people look for it.

    The desk validates and saves in one transaction, so the use case runs as the last step of validation.
    """

    refusals: tuple[type[Exception], ...] = ()

    def perform(self) -> M:
        """Call the use case with the cleaned values and return the row that it wrote."""
        raise NotImplementedError

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # ModelForm's own step
        if self.errors:
            return
        try:
            # The inlines hold this very object, so it becomes the stored row.
            self.instance.__dict__.update(self.perform().__dict__)
        except self.refusals as refusal:
            self.add_error(None, gettext(str(refusal)))

    def validate_constraints(self) -> None:
        """The use case refuses with a sentence what the database would refuse with the name of a constraint."""

    def save(self, commit: bool = True) -> M:
        """The use case has written the row."""
        self.save_m2m: Callable[[], None] = lambda: None
        return self.instance


def _name(field: Any) -> str:
    return field if isinstance(field, str) else str(getattr(field, "__name__", field))


type Fieldsets = Sequence[tuple[Any, dict[str, Any]]]
