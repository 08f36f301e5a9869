"""Keys of the platform API: made here, shown once, revoked here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from billing.admin import _displays as displays
from billing.admin._actions import ButtonsPageMixin, PageAction, ReasonForm, confirm_first
from billing.admin._base import BillingAdmin, PerformsMixin, UseCaseForm
from billing.models import ApiKey
from billing.queries.scope_words import SCOPE_WORDS
from billing.usecases._permissions import NotAllowed
from billing.usecases.create_api_key import KeyRefused, create_api_key
from billing.usecases.revoke_api_key import revoke_api_key
from organizations.models import User


class KeyForm(UseCaseForm[ApiKey]):
    """Who uses it, for what, and until when."""

    refusals = (KeyRefused, NotAllowed)
    actor: User
    key = ""

    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=list(SCOPE_WORDS.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "organization", "expires_at"]

    def perform(self) -> ApiKey:
        """Make it, and remember the key for the page that shows it."""
        made = create_api_key(
            name=self.cleaned_data["name"],
            scopes=self.cleaned_data["scopes"],
            organization=self.cleaned_data["organization"],
            expires_at=self.cleaned_data["expires_at"],
            actor=self.actor,
            at=timezone.now(),
        )
        self.key = made.key
        return made.row


class RevokeForm(ReasonForm[ApiKey]):
    """There is no way back: its user needs another key."""

    def perform(self) -> str:
        """Take it away."""
        revoke_api_key(key_id=self.target.pk, reason=self.cleaned_data["reason"], actor=self.actor, at=self.at)
        return _t("Revoked: it opens nothing any more.")


@admin.register(ApiKey)
class ApiKeyAdmin(ButtonsPageMixin[ApiKey], PerformsMixin[ApiKey], BillingAdmin[ApiKey]):
    """Never edited: another purpose takes another key."""

    form = KeyForm
    page_actions = (
        PageAction(
            name="revoke",
            title=_("Revoke"),
            form=RevokeForm,
            permission="billing.change_apikey",
            icon="key_off",
            is_offered=lambda key: key.revoked_at is None,
        ),
    )
    list_display = [
        "name",
        "prefix",
        "state",
        displays.link_column("organization", _("organization")),
        "last_used_at",
        "expires_at",
    ]
    list_select_related = ["organization", "created_by"]
    list_filter = [("organization", AutocompleteSelectFilter)]
    search_fields = ["name", "prefix"]
    autocomplete_fields = ["organization"]
    empty_hint = _("A program that reports usage or reads invoices shows a key, made here.")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for the second factor first."""
        return confirm_first(request) or super().add_view(request, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The key names the person at the desk."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.actor = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """What is chosen, or what became of it."""
        if obj is None:
            return ["name", "scopes", "organization", "expires_at"]
        return [
            *("name", "prefix", "purpose", "organization"),
            *("created_at", "created_by", "last_used_at", "expires_at", "revoked_at"),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """Everything of a key that exists."""
        return self.get_fields(request, obj) if obj else []

    @display(description=_("it may"))
    def purpose(self, key: ApiKey) -> str:
        """Its scopes."""
        return "; ".join(f"{scope} ({SCOPE_WORDS[scope]})" for scope in key.scopes if scope in SCOPE_WORDS)

    @display(description=_("state"), label={"valid": "success", "revoked": "danger"})
    def state(self, key: ApiKey) -> tuple[str, str]:
        """Whether it opens anything."""
        if key.revoked_at is not None:
            return "revoked", _t("revoked")
        return ("valid", _t("valid")) if key.is_valid(timezone.now()) else ("expired", _t("expired"))

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key, this once: neither a message nor an address may carry it."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("A new key"),
            "row": obj,
            "key": request.new_api_key,  # type: ignore[attr-defined]  # see save_model
        }
        return TemplateResponse(request, "admin/api_key_made.html", context, headers={"Cache-Control": "no-store"})

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """The use case has written the row; the key waits for the page that shows it."""
        request.new_api_key = form.key  # type: ignore[attr-defined]  # the answer shows it once

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Nobody edits a key; it is revoked by its button."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """What it did stays readable."""
        return False
