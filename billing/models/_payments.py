"""Money received and the invoices it settles."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Payment(models.Model):
    """Money received from an organization. What settles no invoice stays unallocated on the account."""

    class Method(models.TextChoices):
        CARD = "card", _("card")
        SEPA_DEBIT = "sepa_debit", _("SEPA direct debit")
        BANK_TRANSFER = "bank_transfer", _("bank transfer")

    reference = models.CharField(_("reference"), max_length=100, unique=True)
    organization = models.ForeignKey(
        "organizations.Organization", verbose_name=_("organization"), on_delete=models.PROTECT, related_name="payments"
    )
    amount_cents = models.BigIntegerField(_("amount"))
    allocated_cents = models.BigIntegerField(_("allocated"), default=0, editable=False)
    refunded_cents = models.BigIntegerField(_("refunded"), default=0, db_default=0, editable=False)
    currency = models.CharField(_("currency"), max_length=3)
    date = models.DateField(_("date"))
    method = models.CharField(_("method"), max_length=20, choices=Method)
    requested_invoice = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("for invoice"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The invoice that the payer named; empty: the oldest unpaid first."),
    )
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="payment_positive"),
            models.CheckConstraint(
                condition=Q(allocated_cents__gte=0, refunded_cents__gte=0)
                & Q(amount_cents__gte=F("allocated_cents") + F("refunded_cents")),
                name="payment_not_over_allocated",
            ),
        )
        indexes = (
            models.Index(
                fields=("organization", "id"),
                condition=Q(amount_cents__gt=F("allocated_cents") + F("refunded_cents")),
                name="payment_unallocated",
            ),
        )

    def __str__(self) -> str:
        return self.reference


class Allocation(models.Model):
    """The part of a payment that settles one invoice, until it is undone: then the money is unallocated again."""

    payment = models.ForeignKey(
        Payment, verbose_name=_("payment"), on_delete=models.PROTECT, related_name="allocations", db_index=False
    )
    invoice = models.ForeignKey(
        "billing.Invoice", verbose_name=_("invoice"), on_delete=models.PROTECT, related_name="allocations"
    )
    amount_cents = models.BigIntegerField(_("amount"))
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone_reason = models.CharField(_("undone because"), max_length=1000, blank=True, default="", db_default="")
    credited_by = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("credited by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="The credit note that freed the money.",
    )

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = (
            models.UniqueConstraint(
                fields=("payment", "invoice"), condition=Q(undone_at__isnull=True), name="allocation_once"
            ),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="allocation_positive"),
        )

    def __str__(self) -> str:
        return f"{self.amount_cents / 100:.2f}"


class Refund(models.Model):
    """Money of a payment that went back to the customer: sent by finance, or taken back through the bank."""

    class Kind(models.TextChoices):
        REFUND = "refund", _("refund")
        CHARGEBACK = "chargeback", _("chargeback")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.REFUND, db_default=Kind.REFUND)
    reference = models.CharField(_("reference"), max_length=100, unique=True)
    payment = models.ForeignKey(Payment, verbose_name=_("payment"), on_delete=models.PROTECT, related_name="refunds")
    amount_cents = models.BigIntegerField(_("amount"))
    date = models.DateField(_("date"))
    method = models.CharField(_("method"), max_length=20, choices=Payment.Method)
    reason = models.CharField(_("reason"), max_length=1000)
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=Q(amount_cents__gt=0), name="refund_positive"),)

    def __str__(self) -> str:
        return self.reference
