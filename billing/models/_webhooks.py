"""Who is told of what happens, and every message to them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class WebhookEndpoint(models.Model):
    """An address of a program that is told of events.

    The secrets are encrypted (`organizations.encryption`), as messages are signed with them; a rotated one still signs
    until `old_secret_until`. After failures in a row nothing is sent before `not_before`.
    """

    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=1000)
    events = models.JSONField(_("events"), default=list)
    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("It then hears of nothing of others. Empty: the whole platform."),
    )
    secret = models.CharField(max_length=300, editable=False)
    old_secret = models.CharField(max_length=300, blank=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    disabled_at = models.DateTimeField(_("disabled"), null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    not_before = models.DateTimeField(null=True, blank=True, editable=False)
    last_claimed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a message of it was taken up: endpoints take turns."
    )

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One message to one endpoint, as it is sent every time.

        waiting ─ sending ─ delivered        the endpoint answered 2xx
           ↑        ├─ waiting               anything else; also when the worker died: it may arrive twice
           │        └─ failed                it was tried for days, or the endpoint is gone (410)
           └── a person sends it again ──┘

    ``event_id`` stays the same, whoever gets it and however often: by it receivers know what they have.
    """

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("message", "waiting")
        SENDING = "sending", pgettext_lazy("message", "being sent")
        DELIVERED = "delivered", pgettext_lazy("message", "delivered")
        FAILED = "failed", pgettext_lazy("message", "failed")

    endpoint = models.ForeignKey(
        WebhookEndpoint, verbose_name=_("webhook"), on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    event_id = models.CharField(_("event"), max_length=40)
    type = models.CharField(_("type"), max_length=40)
    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    body = models.TextField(_("content"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(
        _("next attempt"), help_text=_("When it is due; while it is being sent, its lease.")
    )
    try_until = models.DateTimeField(_("tried until"))
    status = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    error = models.CharField(_("why it is not delivered"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("message to a webhook")
        verbose_name_plural = _("messages to webhooks")
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("endpoint", "event_id"), name="webhook_delivery_once"),)
        permissions = (("resend_webhookdelivery", _("Can send messages to webhooks again")),)
        indexes = (
            # What is due: it stays small however much was delivered.
            models.Index(fields=("endpoint", "not_before", "id"), condition=Q(state="waiting"), name="webhook_due"),
            models.Index(fields=("endpoint", "not_before"), condition=Q(state="sending"), name="webhook_being_sent"),
            models.Index(fields=("endpoint", "-id"), condition=Q(state="failed"), name="webhook_delivery_failed"),
            models.Index(fields=("organization", "-id"), name="webhook_of_organization"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
