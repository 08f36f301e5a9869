"""What the check of the e-invoice found in drafts. The database is the queue of these checks."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class DraftCheck(models.Model):
    """The last check of a draft's e-invoice, and whether somebody wants another.

    It counts as long as the draft says the same: ``fingerprint`` is that of the computed content, ``parties`` that of
    seller, buyer, payment term, legal texts and number series. ``failures`` has the fields of
    `domain.e_invoices.Failure`.
    """

    invoice = models.OneToOneField(
        "billing.Invoice",
        verbose_name=_("invoice"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="e_invoice_check",
    )
    fingerprint = models.CharField(max_length=32, blank=True, default="", editable=False)
    parties = models.CharField(max_length=32, blank=True, default="", editable=False)
    failures = models.JSONField(_("failures"), default=list, blank=True)
    failure_count = models.PositiveIntegerField(_("number of failures"), default=0)
    asked_at = models.DateTimeField(_("asked for"), null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="How often a check was begun since one came to its end."
    )
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)

    class Meta:
        verbose_name = _("check of an e-invoice")
        verbose_name_plural = _("checks of e-invoices")
        indexes = (
            models.Index(fields=("asked_at",), condition=Q(asked_at__isnull=False), name="draft_check_asked"),
            models.Index(fields=("invoice",), condition=Q(failure_count__gt=0), name="draft_check_failed"),
        )

    def __str__(self) -> str:
        return str(self.invoice)
