"""The first section of an invoice: its printed lines, and the VAT of each rate."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class InvoiceLine(models.Model):
    """One printed line (BG-25). It names its period and a quantity times a unit price; VAT is frozen on it.

    ``name`` is what staff or the customer called it (an add-on, a charge); other lines are worded for their reader
    when they are shown. Lines outlive what they name, so only the invoice is a database constraint.
    """

    class Kind(models.TextChoices):
        PROVISION = "provision", _("credits provision")
        REGULARIZATION = "regularization", _("regularization")
        ADD_ON = "add_on", _("add-on")
        ONE_SHOT = "one_shot", _("one-shot operation")
        CUSTOM_SERVICE = "custom_service", _("custom service")
        ADJUSTMENT = "adjustment", _("adjustment")
        DISCOUNT = "discount", _("discount")

    invoice = models.ForeignKey("billing.Invoice", on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    source_id = models.BigIntegerField(
        null=True, blank=True, help_text="The add-on, charge or adjustment that the line bills."
    )
    name = models.CharField(_("name"), max_length=500, blank=True)
    period_start = models.DateField(_("from"))
    period_end = models.DateField(_("until"))
    quantity_micro = models.BigIntegerField(_("quantity"))
    unit_price_micro = models.BigIntegerField(_("unit price"))
    net_cents = models.BigIntegerField(_("net amount"))
    vat_category = models.CharField(_("VAT category"), max_length=2)
    vat_rate_bp = models.PositiveSmallIntegerField(_("VAT rate"))
    credited_line_id = models.BigIntegerField(
        null=True, blank=True, help_text="Of a credit note: the line of the invoice that it takes back."
    )

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering = ("position",)

    def __str__(self) -> str:
        return self.name or self.get_kind_display()


class TaxSubtotal(models.Model):
    """Base and VAT of one category and rate (BG-23)."""

    invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.CASCADE, related_name="tax_subtotals", db_index=False
    )
    category = models.CharField(_("VAT category"), max_length=2)
    rate_bp = models.PositiveSmallIntegerField(_("VAT rate"))
    base_cents = models.BigIntegerField(_("base"))
    vat_cents = models.BigIntegerField(_("VAT"))

    class Meta:
        verbose_name = _("tax subtotal")
        verbose_name_plural = _("tax subtotals")
        constraints = (models.UniqueConstraint(fields=("invoice", "category", "rate_bp"), name="tax_subtotal_once"),)

    def __str__(self) -> str:
        return f"{self.category} {self.rate_bp / 100:.2f} %"
