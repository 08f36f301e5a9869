"""The third section of an invoice: its usage details."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class UsageDetail(models.Model):
    """One printed line of the third section: a resource's quantity of a meter, zone and price version in a month.

    No meter means the discount on consumption. ``resource_name`` is the name at the time of billing.
    """

    invoice = models.ForeignKey("billing.Invoice", on_delete=models.CASCADE, related_name="usage_details")
    month = models.DateField(_("month"))
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    resource = models.ForeignKey(
        "billing.Resource",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    resource_name = models.CharField(_("resource"), max_length=300, blank=True)
    meter = models.ForeignKey(
        "billing.Meter",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    zone = models.CharField(_("zone"), max_length=50, blank=True)
    price = models.ForeignKey(
        "billing.Price",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    quantity_micro = models.BigIntegerField(_("quantity"), null=True, blank=True)
    amount_cents = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("usage detail")
        verbose_name_plural = _("usage details")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.resource_name} {self.amount_cents / 100:.2f}"
