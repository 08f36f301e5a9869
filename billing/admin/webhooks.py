"""Webhooks: programs that are told of events, and every message to them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from billing.admin import _displays as displays
from billing.admin._actions import ButtonsPageMixin, PageAction, confirm_first
from billing.admin._base import BillingAdmin, ComputedAdmin, PerformsMixin
from billing.admin._webhook_forms import (
    DisableForm,
    EnableForm,
    PingForm,
    ResendFailedForm,
    ResendForm,
    RotateForm,
    WebhookForm,
)
from billing.models import WebhookDelivery, WebhookEndpoint
from billing.queries.webhook_words import EVENT_WORDS

State = WebhookDelivery.State
MAY_CHANGE = "billing.change_webhookendpoint"
MAY_RESEND = "billing.resend_webhookdelivery"
STATE_COLOURS: dict[str, str] = {
    State.WAITING: "info",
    State.SENDING: "info",
    State.DELIVERED: "success",
    State.FAILED: "danger",
}


def _is_on(endpoint: WebhookEndpoint) -> bool:
    return endpoint.disabled_at is None


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(
    ButtonsPageMixin[WebhookEndpoint], PerformsMixin[WebhookEndpoint], BillingAdmin[WebhookEndpoint]
):
    """Never edited: another address or other events take another webhook."""

    form = WebhookForm
    page_actions = (
        PageAction("ping", _("Send a test"), PingForm, MAY_CHANGE, icon="send", submit=_("Send"), is_offered=_is_on),
        PageAction(
            "resend_failed",
            _("Send again what failed"),
            ResendFailedForm,
            MAY_RESEND,
            icon="restart_alt",
            submit=_("Send"),
            is_offered=_is_on,
        ),
        PageAction(
            "rotate", _("Other secret"), RotateForm, MAY_CHANGE, icon="key", submit=_("Rotate"), needs_fresh_factor=True
        ),
        PageAction("disable", _("Switch off"), DisableForm, MAY_CHANGE, icon="toggle_off", is_offered=_is_on),
        PageAction(
            "enable",
            _("Switch on"),
            EnableForm,
            MAY_CHANGE,
            icon="toggle_on",
            submit=_("Switch on"),
            is_offered=lambda endpoint: endpoint.disabled_at is not None,
        ),
    )
    list_display = ["name", "url", "state", displays.link_column("organization", _("organization")), "created_at"]
    list_select_related = ["organization", "created_by"]
    list_filter = [("organization", AutocompleteSelectFilter)]
    search_fields = ["name", "url"]
    autocomplete_fields = ["organization"]
    empty_hint = _("A program that is to know of invoices and payments at once is told by a webhook, made here.")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for the second factor first."""
        return confirm_first(request) or super().add_view(request, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: WebhookEndpoint | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The webhook names the person at the desk."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.actor = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        """What is chosen, or what became of it."""
        if obj is None:
            return ["name", "url", "events", "organization"]
        return [
            *("name", "url", "told_of", "organization"),
            *("state_words", "failing_since", "created_at", "created_by"),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        """Everything of one that exists."""
        return self.get_fields(request, obj) if obj else []

    @display(description=_("it is told of"))
    def told_of(self, endpoint: WebhookEndpoint) -> str:
        """Its events."""
        return "; ".join(f"{event} ({EVENT_WORDS[event]})" for event in endpoint.events if event in EVENT_WORDS)

    @display(description=_("state"), label={"on": "success", "off": "default", "failing": "danger"})
    def state(self, endpoint: WebhookEndpoint) -> tuple[str, str]:
        """Whether it takes what it is told."""
        if endpoint.disabled_at is not None:
            return "off", _t("switched off")
        return ("failing", _t("failing")) if endpoint.failures else ("on", _t("switched on"))

    @display(description=_("state"))
    def state_words(self, endpoint: WebhookEndpoint) -> str:
        """The same for the page."""
        words: str = self.state(endpoint)[1]
        return words

    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret, this once."""
        return self._show_secret(request, obj, request.new_webhook_secret)  # type: ignore[attr-defined]  # see save_model

    def _leave(self, request: HttpRequest, row: WebhookEndpoint) -> HttpResponse:
        secret = getattr(row, "new_secret", None)
        return super()._leave(request, row) if secret is None else self._show_secret(request, row, secret)

    def _show_secret(self, request: HttpRequest, row: WebhookEndpoint, secret: str) -> HttpResponse:
        """On a page of its own or in the dialog: neither a message nor an address may carry it."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": row.name,
            "row": row,
            "secret": secret,
        }
        template = "admin/webhook_secret.html" if "HX-Request" in request.headers else "admin/webhook_made.html"
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        """The use case has written the row; the secret waits for the page that shows it."""
        request.new_webhook_secret = form.secret  # type: ignore[attr-defined]  # the answer shows it once

    def has_change_permission(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> bool:
        """Nobody edits a webhook; its buttons change it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> bool:
        """What it was told stays readable."""
        return False


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ButtonsPageMixin[WebhookDelivery], ComputedAdmin[WebhookDelivery]):
    """Written with what happened; people send again what was not taken."""

    list_display = [
        "type",
        displays.link_column("endpoint", _("webhook")),
        displays.link_column("organization", _("organization")),
        displays.state_column("state", _("state"), STATE_COLOURS),
        "status",
        "attempts",
        "created_at",
        "why",
    ]
    list_select_related = ["endpoint", "organization"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("endpoint", RelatedDropdownFilter),
        ("organization", AutocompleteSelectFilter),
    ]
    search_fields = ["event_id"]
    date_hierarchy = "created_at"
    dates_follow_key = True
    fields = (
        *("type", "event_id", "endpoint", "organization", "state", "status", "why"),
        *("attempts", "not_before", "try_until", "created_at", "delivered_at", "body"),
    )
    empty_hint = _("What happens is announced here once there is a webhook.")
    page_actions = (
        PageAction(
            "resend",
            _("Send again"),
            ResendForm,
            MAY_RESEND,
            icon="restart_alt",
            submit=_("Send"),
            is_offered=lambda delivery: delivery.state != State.SENDING,
        ),
    )

    @admin.display(description=_("why it is not delivered"))
    def why(self, delivery: WebhookDelivery) -> str:
        """What the other side said, or what is said here in the language of who reads."""
        return _t(delivery.error) if delivery.error else ""
