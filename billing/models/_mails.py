"""The outbox: one row per document and recipient, and what became of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from organizations.models import BillingProfile


class OutgoingMail(models.Model):
    """An e-mail with a document for one recipient. The text is not kept: it follows from the document and its payments.

        waiting ─ sending ─ sent              the server took it
           ↑        ├─ waiting                the server cannot be reached, or says: later
           │        ├─ failed                 the server refuses it, or it could not be sent for days
           └────────┴─ unclear                nobody knows whether the server took it: a person decides

    ``number`` is 1 for what is sent by itself, so that nobody ever gets a document twice; a person who sends again what
    is sent or given up makes the next one.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        CREDIT_NOTE = "credit_note", _("credit note")

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("e-mail", "waiting")
        SENDING = "sending", pgettext_lazy("e-mail", "being sent")
        SENT = "sent", pgettext_lazy("e-mail", "sent")
        FAILED = "failed", pgettext_lazy("e-mail", "failed")
        UNCLEAR = "unclear", pgettext_lazy("e-mail", "unclear")
        GIVEN_UP = "given_up", pgettext_lazy("e-mail", "given up")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    invoice = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("document"),
        on_delete=models.PROTECT,
        related_name="mails",
        db_index=False,
    )
    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    recipient = models.EmailField(_("recipient"))
    number = models.PositiveSmallIntegerField(_("sending"), default=1)
    language = models.CharField(_("language"), max_length=2, choices=BillingProfile.Language)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(_("next attempt"), help_text="When it is due; while it is being sent, its lease.")
    try_until = models.DateTimeField(_("tried until"))
    error = models.CharField(_("why it is not sent"), max_length=1000, blank=True)
    message_id = models.CharField("Message-ID", max_length=200, unique=True)
    created_at = models.DateTimeField(_("created"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint("invoice", Lower("recipient"), "number", name="outgoing_mail_once"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent") & Q(sent_at__isnull=True),
                name="outgoing_mail_sent_at",
            ),
        )
        permissions = (("send_outgoingmail", _("Can send documents again and give e-mails up")),)
        indexes = (
            # What is due: it stays small however many were sent.
            models.Index(fields=("not_before", "id"), condition=Q(state="waiting"), name="outgoing_mail_due"),
            models.Index(fields=("not_before",), condition=Q(state="sending"), name="outgoing_mail_being_sent"),
            # What people look for in the list.
            models.Index(fields=("state", "-id"), condition=~Q(state="sent"), name="outgoing_mail_not_sent"),
            models.Index(fields=("organization", "-id"), name="outgoing_mail_of_organization"),
            models.Index(Upper("recipient"), name="outgoing_mail_recipient_upper"),
        )

    def __str__(self) -> str:
        return self.recipient
