"""Second factors and addresses as django-allauth keeps them: looked at here, changed by the people themselves."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from organizations.admin._base import ReadOnlyAdmin

admin.site.unregister([Authenticator, EmailAddress])


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin[Authenticator]):
    """Who has which second factor, never its secret. One that is lost is deleted here; its owner sets up another."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_select_related = ["user"]
    list_filter = [("type", ChoicesDropdownFilter)]
    search_fields = ["user__email__istartswith"]
    search_help_text = _("Beginning of the e-mail address")
    fields = ["user", "type", "created_at", "last_used_at"]
    empty_hint = _("People set up an authenticator app or a passkey themselves: menu of the account, Second factor.")

    def has_delete_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        """One at a time, never several from the list, by who has the permission."""
        return obj is not None and request.user.has_perm("mfa.delete_authenticator")


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin[EmailAddress]):
    """Not used to sign in: a person's address is on their own page."""

    list_display = ["email", "user", "verified", "primary"]
    list_select_related = ["user"]
    search_fields = ["email__istartswith"]
