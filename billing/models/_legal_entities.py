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
    siren = models.CharField(_("SIREN or SIRET"), max_length=14, blank=True)
    legal_mentions = models.CharField(
        _("legal mentions"),
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text=_("Legal form, capital, register: printed at the foot of every document."),
    )
    email = models.EmailField(_("e-mail"), blank=True, default="", db_default="")
    phone = models.CharField(_("telephone"), max_length=40, blank=True, default="", db_default="")
    iban = models.CharField(_("IBAN"), max_length=34, blank=True, default="", db_default="")
    bic = models.CharField(_("BIC"), max_length=11, blank=True, default="", db_default="")
    electronic_address = models.CharField(
        _("electronic address"),
        max_length=125,
        blank=True,
        default="",
        db_default="",
        help_text=_("Where e-invoices come from (BT-34)."),
    )
    electronic_scheme = models.CharField(
        _("kind of electronic address"),
        max_length=4,
        blank=True,
        default="",
        db_default="",
        help_text=_("Code of the EAS list: 0225 for a French address, 9957 for a French VAT number."),
    )
    vat_on_debits = models.BooleanField(
        _("VAT on debits"),
        default=False,
        db_default=False,
        help_text=_("VAT is due when invoices are issued, not when they are paid; documents say so."),
    )
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
