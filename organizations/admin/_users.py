"""People who sign in."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, RelatedDropdownFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from organizations.admin._base import DeskAdmin
from organizations.admin._memberships import MembershipOfUserInline
from organizations.models import User


class _UniqueEmail(forms.ModelForm[User]):
    """Addresses differ by more than upper and lower case, for people sign in with them."""

    def clean_email(self) -> str:
        """Refuse the address of somebody else."""
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Somebody signs in with this address already."))
        return email


class UserForm(_UniqueEmail, UserChangeForm):
    """A person's page."""


class NewUserForm(_UniqueEmail, UserCreationForm):
    """The page that adds a person."""


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User], DeskAdmin[User]):
    """Staff of the desk and members of organizations. Groups give rights; nobody is deleted, only made inactive."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["email", "name", "is_staff", "is_active", "last_login", "date_joined"]
    list_filter = [
        ("is_staff", BooleanRadioFilter),
        ("is_active", BooleanRadioFilter),
        ("groups", RelatedDropdownFilter),
    ]
    search_fields = ["email"]
    search_help_text = _("E-mail address or name, from the beginning")
    date_hierarchy = "date_joined"
    dates_follow_key = True
    ordering = ["-pk"]
    filter_horizontal = ["groups", "user_permissions"]
    readonly_fields = ["last_login", "date_joined"]
    inlines = [MembershipOfUserInline]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        (_("History"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["email", "name", "usable_password", "password1", "password2", "is_staff"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Find people by the beginning of their address or name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(Q(email__istartswith=term) | Q(name__istartswith=term)), False

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Who only looks must not read the hash of a password, which Django would show them in full."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [field for field in options["fields"] if field != "password"]})
            for title, options in fieldsets
        ]

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """What a person did stays readable: make the account inactive instead."""
        return False
