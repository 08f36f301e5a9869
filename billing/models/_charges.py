"""One-shot operations and custom services that wait for the next invoice."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Charge(models.Model):
    """Taken by the invoice of the month in which it is dated, or the next one; ``invoice`` is set when issued."""

    class Type(models.TextChoices):
        ONE_SHOT = "one_shot", _("one-shot operation")
        CUSTOM_SERVICE = "custom_service", _("custom service")

    reference = models.CharField(_("reference"), max_length=100, unique=True)
    organization = models.ForeignKey(
        "organizations.Organization", verbose_name=_("organization"), on_delete=models.PROTECT, related_name="charges"
    )
    type = models.CharField(_("type"), max_length=20, choices=Type)
    description = models.CharField(_("description"), max_length=500)
    quantity_micro = models.BigIntegerField(_("quantity"))
    unit_price_micro = models.BigIntegerField(_("unit price"))
    date = models.DateField(_("date"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Who set its amount in the desk; nobody: the platform.",
    )
    invoice = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("invoice"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="charges",
    )

    class Meta:
        verbose_name = _("charge")
        verbose_name_plural = _("charges")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(quantity_micro__gte=0) & Q(unit_price_micro__gte=0), name="charge_not_negative"
            ),
        )

    def __str__(self) -> str:
        return self.reference
