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
                condition=Q(allocated_cents__gte=0) & Q(allocated_cents__lte=F("amount_cents")),
                name="payment_not_over_allocated",
            ),
        )

    def __str__(self) -> str:
        return self.reference


class Allocation(models.Model):
    """The part of a payment that settles one invoice."""

    payment = models.ForeignKey(
        Payment, verbose_name=_("payment"), on_delete=models.PROTECT, related_name="allocations", db_index=False
    )
    invoice = models.ForeignKey(
        "billing.Invoice", verbose_name=_("invoice"), on_delete=models.PROTECT, related_name="allocations"
    )
    amount_cents = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = (
            models.UniqueConstraint(fields=("payment", "invoice"), name="allocation_once"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="allocation_positive"),
        )

    def __str__(self) -> str:
        return f"{self.amount_cents / 100:.2f}"
