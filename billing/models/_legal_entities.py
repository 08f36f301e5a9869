"""Who issues the invoices, and the VAT rates of the places it sells to."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField


class LegalEntity(models.Model):
    """The seller (BG-4). ``migrate`` creates one to edit; every organization is invoiced by it."""

    name = models.CharField(_("name"), max_length=300)
    address = models.CharField(_("address"), max_length=500, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=200, blank=True)
    country = CountryField(_("country"), default="FR")
    vat_number = models.CharField(_("VAT number"), max_length=30, blank=True)
    siren = models.CharField(_("SIREN"), max_length=14, blank=True)
    over_oss_threshold = models.BooleanField(
        _("over the OSS threshold"),
        default=False,
        help_text=_("Consumers of other EU countries are then charged the rate of their own country."),
    )

    class Meta:
        verbose_name = _("legal entity")
        verbose_name_plural = _("legal entities")

    def __str__(self) -> str:
        return self.name


class TaxRate(models.Model):
    """The standard VAT rate of a territory from a day on; dated data, never code."""

    territory = models.CharField(_("territory"), max_length=2)
    rate_bp = models.PositiveSmallIntegerField(_("rate in hundredths of a percent"))
    valid_from = models.DateField(_("valid from"))

    class Meta:
        verbose_name = _("VAT rate")
        verbose_name_plural = _("VAT rates")
        ordering = ("territory", "-valid_from")
        constraints = (
            models.UniqueConstraint(fields=("territory", "valid_from"), name="tax_rate_once_a_day"),
            models.CheckConstraint(condition=models.Q(rate_bp__lte=10_000), name="tax_rate_at_most_all"),
        )

    def __str__(self) -> str:
        return f"{self.territory} {self.rate_bp / 100:.2f} %"
