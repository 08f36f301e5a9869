"""What was bought from another provider for an organization: the rows behind its vendor consumption."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class VendorCharge(models.Model):
    """A row of another provider's cost dataset, kept with its list prices; never changed.

    What is billed of it is the usage record of the same source and event. Prices and costs are the text that the
    provider wrote, with all its digits; nothing ever computes with them in SQL. ``row`` holds every value of the row.
    """

    source = models.CharField(_("source"), max_length=100)
    event_id = models.CharField(_("event"), max_length=200)
    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    vendor = models.CharField(_("provider"), max_length=80)
    service = models.CharField(_("service"), max_length=300)
    charge_category = models.CharField(_("charge category"), max_length=20)
    started_at = models.DateTimeField(_("start"))
    ended_at = models.DateTimeField(_("end"))
    currency = models.CharField(_("currency"), max_length=3)
    list_cost = models.CharField(_("list cost"), max_length=100)
    list_unit_price = models.CharField(_("list unit price"), max_length=100, blank=True)
    row = models.JSONField(_("row"))
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("vendor charge")
        verbose_name_plural = _("vendor charges")
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("source", "event_id"), name="vendor_charge_once"),)
        indexes = (models.Index(fields=("organization", "started_at"), name="vendor_charge_of_organization"),)

    def __str__(self) -> str:
        return f"{self.vendor} {self.service} {self.list_cost} {self.currency}"
