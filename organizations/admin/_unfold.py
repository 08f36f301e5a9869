"""Unfold's classes with the types of Django's: Unfold ships none, and its classes take the same parameters."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
else:
    from unfold import admin

    from organizations.admin._autocomplete import look_up_keys_only

    class _Typed:
        """Lets `ModelAdmin[Invoice]` be written; what is in the brackets is for the type checker."""

        @classmethod
        def __class_getitem__(cls, _):
            return cls

        def formfield_for_foreignkey(self, *args, **kwargs):
            """A forged choice is an error beside the field."""
            return look_up_keys_only(super().formfield_for_foreignkey(*args, **kwargs))

    class ModelAdmin(_Typed, admin.ModelAdmin):
        pass

    class StackedInline(_Typed, admin.StackedInline):
        pass

    class TabularInline(_Typed, admin.TabularInline):
        pass


__all__ = ["ModelAdmin", "StackedInline", "TabularInline"]
