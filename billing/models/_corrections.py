"""Late usage that made a settled month cheaper, and how the difference was given back."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class UsageCorrection(models.Model):
    """What was given back for a month that turned out cheaper: to the grants that had paid, by credit notes, or both.

    ``lines`` are usage lines with negative amounts, kept as outcomes keep theirs: from then on they are settled, too.
    """

    organization = models.ForeignKey(
        "organizations.Organization", verbose_name=_("payer"), on_delete=models.PROTECT, related_name="+"
    )
    month = models.DateField(_("consumption month"))
    lines = models.JSONField(default=list)
    returned_cents = models.BigIntegerField(_("given back to credits"), default=0)
    credit_note = models.OneToOneField(
        "billing.Invoice",
        verbose_name=_("credit note"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="usage_correction",
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("usage correction")
        verbose_name_plural = _("usage corrections")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.organization_id} {self.month:%Y-%m}"
