"""The run that generates a month's drafts, and what became of each organization."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class MonthClose(models.Model):
    """The close of a consumption month. A new run refreshes what is not issued; ``run`` counts them."""

    legal_entity = models.ForeignKey(
        "billing.LegalEntity", verbose_name=_("legal entity"), on_delete=models.PROTECT, db_index=False
    )
    month = models.DateField(_("consumption month"))
    run = models.PositiveIntegerField(_("run"), default=0)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("month close")
        verbose_name_plural = _("month closes")
        ordering = ("-month",)
        constraints = (models.UniqueConstraint(fields=("legal_entity", "month"), name="month_close_once"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class CloseBatch(models.Model):
    """A range of paying organizations that one worker closes in one transaction: the queue of a run."""

    close = models.ForeignKey(MonthClose, on_delete=models.CASCADE, related_name="batches", db_index=False)
    run = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    first_organization_id = models.BigIntegerField()
    last_organization_id = models.BigIntegerField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("close batch")
        verbose_name_plural = _("close batches")
        constraints = (models.UniqueConstraint(fields=("close", "run", "number"), name="close_batch_once"),)

    def __str__(self) -> str:
        return f"{self.close} #{self.number}"


class CloseOutcome(models.Model):
    """What a close made of one organization: an invoice, nothing, or a reason why it is blocked.

    A sub-organization's outcome names its payer, so that a change of parent counts from the next month only.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        NIL = "nil", _("nothing to bill")
        BLOCKED = "blocked", _("blocked")
        ON_PARENT = "on_parent", _("on the parent's invoice")

    close = models.ForeignKey(MonthClose, verbose_name=_("close"), on_delete=models.PROTECT, db_index=False)
    month = models.DateField(_("consumption month"))
    organization = models.ForeignKey(
        "organizations.Organization", verbose_name=_("organization"), on_delete=models.PROTECT, related_name="outcomes"
    )
    payer = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("payer"),
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
    )
    kind = models.CharField(_("outcome"), max_length=10, choices=Kind)
    invoice = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("invoice"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="outcomes",
    )
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    reason_values = models.JSONField(default=dict, blank=True)
    own_consumption_cents = models.BigIntegerField(
        _("own consumption"),
        default=0,
        help_text=_("Less its discount, without late usage; the estimates of later months read it."),
    )
    settled_usage = models.JSONField(
        default=list,
        blank=True,
        help_text="Usage lines that cost nothing and are on no invoice; late usage is rated on top of them.",
    )

    class Meta:
        verbose_name = _("close outcome")
        verbose_name_plural = _("close outcomes")
        ordering = ("-month", "organization_id")
        constraints = (
            models.UniqueConstraint(fields=("organization", "month"), name="outcome_once"),
            models.CheckConstraint(
                condition=~Q(kind="invoice") | Q(invoice__isnull=False), name="outcome_invoice_names_it"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=("blocked", "nil")) | ~Q(reason_code=""), name="outcome_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(kind="on_parent") | Q(payer=F("organization")), name="outcome_payer_is_itself"
            ),
        )
        indexes = (models.Index(fields=("month", "kind"), name="outcome_by_month_and_kind"),)

    def __str__(self) -> str:
        return f"{self.organization_id} {self.month:%Y-%m} {self.kind}"
