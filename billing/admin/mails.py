"""The outbox: what was sent to whom, what was not and why, and how it reads."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from billing.admin import _displays as displays
from billing.admin._actions import ActionForm, ActionsMixin, PageAction, ReasonForm
from billing.admin._base import ComputedAdmin
from billing.admin._delivery import MAIL_COLOURS, MAY_SEND, SendForm
from billing.models import Invoice, OutgoingMail
from billing.queries.invoices import find_by_number
from billing.queries.mail_words import compose
from billing.queries.mails import mail_server_note
from billing.usecases.decide_mail import UNDECIDED, UnableToDecide, decide_mail

State = OutgoingMail.State


class TryAgainForm(ActionForm[OutgoingMail]):
    """Has it tried now."""

    refusals = (UnableToDecide,)

    @property
    def intro(self) -> str:
        """What sending again may mean."""
        if self.target.state == State.UNCLEAR:
            return _t("The recipient may have it already: then it arrives a second time.")
        return ""

    def perform(self) -> str:
        """Make it due."""
        decide_mail(mail_id=self.target.pk, try_again=True, actor=self.actor, at=self.at)
        return _t("It is sent in a few seconds.")


class GiveUpForm(ReasonForm[OutgoingMail]):
    """Never sends it."""

    refusals = (UnableToDecide,)

    def perform(self) -> str:
        """Give it up."""
        reason = self.cleaned_data["reason"]
        decide_mail(mail_id=self.target.pk, try_again=False, reason=reason, actor=self.actor, at=self.at)
        return _t("It is given up.")


class ResendForm(SendForm):
    """Sends the same document again, to the same address unless another is typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipient"].initial = self.target.recipient


def _is_undecided(mail: OutgoingMail) -> bool:
    return mail.state in UNDECIDED


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ActionsMixin[OutgoingMail], ComputedAdmin[OutgoingMail]):
    """Written when a document is stored; people decide what a server did not take."""

    list_display = [
        "recipient",
        displays.link_column("invoice", _("document")),
        displays.link_column("organization", _("organization")),
        displays.state_column("state", _("state"), MAIL_COLOURS),
        "why",
        "created_at",
        "sent_at",
    ]
    list_select_related = ["invoice", "organization"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("organization", AutocompleteSelectFilter),
    ]
    search_fields = ["recipient"]
    search_help_text = _("Document number, or beginning of an address or of the organization's name or identifier")
    search_organization = "organization"
    date_hierarchy = "created_at"
    dates_follow_key = True
    list_before_template = "admin/mail_server.html"
    change_form_template = "admin/mail_page.html"
    fields = ()
    empty_hint = _("Issued documents are sent once their files are stored.")
    page_actions = (
        PageAction(
            name="try_again",
            title=_("Try again"),
            form=TryAgainForm,
            permission=MAY_SEND,
            icon="restart_alt",
            submit=_("Send"),
            is_offered=_is_undecided,
        ),
        PageAction(
            name="give_up",
            title=_("Give up"),
            form=GiveUpForm,
            permission=MAY_SEND,
            icon="cancel",
            submit=_("Give up"),
            is_offered=_is_undecided,
        ),
        PageAction(
            name="resend",
            title=_("Send again"),
            form=ResendForm,
            permission=MAY_SEND,
            icon="forward_to_inbox",
            submit=_("Send"),
            is_offered=lambda mail: mail.state in (State.SENT, State.GIVEN_UP),
        ),
    )

    @admin.display(description=_("why it is not sent"))
    def why(self, mail: OutgoingMail) -> str:
        """What the server said, or what is said here in the language of who reads."""
        return _t(mail.error) if mail.error else ""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutgoingMail], search_term: str
    ) -> tuple[QuerySet[OutgoingMail], bool]:
        """Find the e-mails to an address, with a document or of an organization; an index leads to each."""
        term = search_term.strip()
        to_address = queryset.filter(recipient__istartswith=term)
        if not term or "@" in term:
            return to_address, False
        documents = find_by_number(Invoice.objects.all(), term)
        if documents is not None:
            return queryset.filter(invoice__in=list(documents.values_list("pk", flat=True))), False
        of_organization, may_repeat = super().get_search_results(request, queryset, search_term)
        return (of_organization, may_repeat) if of_organization.exists() else (to_address, False)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, under a word on where e-mails go."""
        context = {"mail_server_note": mail_server_note(), **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the e-mail as its recipient reads it."""
        mail = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if mail is not None and self.has_view_permission(request, mail):
            context = {
                "mail": mail,
                "words": compose(mail),
                "state_colour": MAIL_COLOURS.get(mail.state, ""),
                "mail_server_note": mail_server_note(),
                "buttons": self.buttons(request, mail),
            }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})
