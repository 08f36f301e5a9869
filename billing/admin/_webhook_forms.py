"""What is asked before a webhook is made, tried, changed, or sent its messages again."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from billing.admin._actions import ActionForm, ReasonForm
from billing.admin._base import UseCaseForm
from billing.models import WebhookDelivery, WebhookEndpoint
from billing.queries.webhook_words import EVENT_WORDS
from billing.queries.webhooks import count_failed_messages
from billing.usecases._permissions import NotAllowed
from billing.usecases.change_webhook import ping_webhook, rotate_webhook_secret, switch_webhook
from billing.usecases.create_webhook import WebhookRefused, create_webhook
from billing.usecases.resend_webhook import UnableToResend, resend_failed_webhooks, resend_webhook
from organizations.models import User


class WebhookForm(UseCaseForm[WebhookEndpoint]):
    """Who is told of what."""

    refusals = (WebhookRefused, NotAllowed)
    actor: User
    secret = ""

    url = forms.CharField(
        label=_("Address"),
        max_length=1000,
        help_text=_("Where messages are posted, such as https://example.org/hook."),
        widget=UnfoldAdminTextInputWidget,
    )
    events = forms.MultipleChoiceField(
        label=_("It is told of"), choices=list(EVENT_WORDS.items()), widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["name", "url", "events", "organization"]

    def perform(self) -> WebhookEndpoint:
        """Make it, and remember the secret for the page that shows it."""
        made = create_webhook(
            name=self.cleaned_data["name"],
            url=self.cleaned_data["url"],
            events=self.cleaned_data["events"],
            organization=self.cleaned_data["organization"],
            actor=self.actor,
            at=timezone.now(),
        )
        self.secret = made.secret
        return made.row


class PingForm(ActionForm[WebhookEndpoint]):
    """Tries it."""

    refusals = (WebhookRefused,)

    @property
    def intro(self) -> str:
        """What arrives."""
        return _t("Its program gets a signed message of type “ping”, which means nothing.")

    def perform(self) -> str:
        """Send a message."""
        ping_webhook(webhook_id=self.target.pk, actor=self.actor, at=self.at)
        return _t("A message is sent in a few seconds: see whether it is delivered.")


class DisableForm(ReasonForm[WebhookEndpoint]):
    """Tells it nothing any more."""

    def perform(self) -> str:
        """Switch it off."""
        reason = self.cleaned_data["reason"]
        switch_webhook(webhook_id=self.target.pk, on=False, reason=reason, actor=self.actor, at=self.at)
        return _t("It is switched off: what happens from now on is not announced to it.")


class EnableForm(ActionForm[WebhookEndpoint]):
    """Tells it again."""

    @property
    def intro(self) -> str:
        """What it missed."""
        return _t("What happened since it was switched off is not announced to it any more.")

    def perform(self) -> str:
        """Switch it on."""
        switch_webhook(webhook_id=self.target.pk, on=True, actor=self.actor, at=self.at)
        return _t("It is switched on.")


class RotateForm(ActionForm[WebhookEndpoint]):
    """Gives it another secret."""

    @property
    def intro(self) -> str:
        """That nothing is lost."""
        return _t(
            "Messages are signed with the old secret too for a day, so that the receiver can change to the new one."
        )

    def perform(self) -> str:
        """Rotate; the answer shows the secret, see `_leave`."""
        secret = rotate_webhook_secret(webhook_id=self.target.pk, actor=self.actor, at=self.at)
        self.target.new_secret = secret  # type: ignore[attr-defined]  # for this one answer
        return _t("It has another secret.")


class ResendFailedForm(ActionForm[WebhookEndpoint]):
    """Sends again what failed."""

    refusals = (UnableToResend,)

    @property
    def intro(self) -> str:
        """How many."""
        return _t("Messages that failed: %(number)d.") % {"number": count_failed_messages(self.target)}

    def perform(self) -> str:
        """Make it all due."""
        number = resend_failed_webhooks(webhook_id=self.target.pk, actor=self.actor, at=self.at)
        text = ngettext("%(number)d message is sent again.", "%(number)d messages are sent again.", number)
        return text % {"number": number}


class ResendForm(ActionForm[WebhookDelivery]):
    """Sends the same message again."""

    refusals = (UnableToResend,)

    @property
    def intro(self) -> str:
        """What a second one means."""
        return _t("It keeps its id: a receiver that has it already knows that.")

    def perform(self) -> str:
        """Make it due."""
        resend_webhook(delivery_id=self.target.pk, actor=self.actor, at=self.at)
        return _t("It is sent in a few seconds.")
