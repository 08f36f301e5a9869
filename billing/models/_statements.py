"""The second section of an invoice: the credit statement."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class CreditStatement(models.Model):
    """How the credits evolved: lines a..i of the second section, and the sums they must agree with."""

    invoice = models.OneToOneField(
        "billing.Invoice", on_delete=models.CASCADE, primary_key=True, related_name="statement"
    )
    free_balance_cents = models.BigIntegerField(_("previous free credits balance"))
    prepaid_balance_cents = models.BigIntegerField(_("previous prepaid credits balance"))
    used_free_cents = models.BigIntegerField(_("used free credits"))
    expired_cents = models.BigIntegerField(_("expired free credits"))
    used_prepaid_cents = models.BigIntegerField(_("used prepaid credits"))
    estimate_cents = models.BigIntegerField(_("estimated consumption, next period"))
    pending_cents = models.BigIntegerField(_("billed credits pending payment"))
    refill_cents = models.BigIntegerField(_("credits to refill"))
    fees_cents = models.BigIntegerField(_("fees"))
    regularization_cents = models.BigIntegerField(_("regularization"))
    direct_cents = models.BigIntegerField(_("lines that credits never pay"))
    subtotal_cents = models.BigIntegerField(_("subtotal excl. VAT"))

    class Meta:
        verbose_name = _("credit statement")
        verbose_name_plural = _("credit statements")
        constraints = (
            models.CheckConstraint(
                condition=Q(used_free_cents__lte=0)
                & Q(expired_cents__lte=0)
                & Q(used_prepaid_cents__lte=0)
                & Q(estimate_cents__lte=0)
                & Q(pending_cents__gte=0)
                & Q(refill_cents__gte=0)
                & Q(regularization_cents__gte=0)
                & Q(subtotal_cents__gte=0),
                name="statement_signs",
            ),
            models.CheckConstraint(
                condition=Q(free_balance_cents__gte=0 - F("used_free_cents") - F("expired_cents"))
                & Q(prepaid_balance_cents__gte=0 - F("used_prepaid_cents")),
                name="statement_never_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(regularization_cents=F("fees_cents") + F("used_free_cents") + F("used_prepaid_cents")),
                name="statement_regularization",
            ),
            models.CheckConstraint(
                condition=Q(regularization_cents=0)
                | Q(
                    free_balance_cents=0 - F("used_free_cents"),
                    prepaid_balance_cents=0 - F("used_prepaid_cents"),
                ),
                name="statement_credits_before_regularization",
            ),
            models.CheckConstraint(
                condition=Q(subtotal_cents=F("regularization_cents") + F("refill_cents") + F("direct_cents")),
                name="statement_subtotal",
            ),
        )

    def __str__(self) -> str:
        return f"{self.invoice_id}"
