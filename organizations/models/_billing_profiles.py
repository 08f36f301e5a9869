"""The party that an invoice is made out to."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField


class BillingProfile(models.Model):
    """Buyer details of an organization (BG-7, BG-8). May be incomplete: then the close blocks and says why."""

    class Language(models.TextChoices):
        FRENCH = "fr", _("French")
        ENGLISH = "en", _("English")

    organization = models.OneToOneField(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="billing_profile",
        primary_key=True,
    )
    is_company = models.BooleanField(_("company"), default=True)
    company = models.CharField(_("company name"), max_length=300, blank=True)
    name = models.CharField(_("contact name"), max_length=300, blank=True)
    address = models.CharField(_("address"), max_length=500, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=200, blank=True)
    country = CountryField(_("country"), blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=30, blank=True)
    siren = models.CharField(_("SIREN or SIRET"), max_length=14, blank=True)
    email = models.EmailField(_("e-mail for invoices"), blank=True)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.FRENCH)
    purchase_order = models.CharField(_("purchase order"), max_length=100, blank=True)
    cost_center = models.CharField(_("cost center"), max_length=100, blank=True)
    electronic_address = models.CharField(
        _("electronic address"),
        max_length=125,
        blank=True,
        default="",
        db_default="",
        help_text=_("Where e-invoices are delivered (BT-49)."),
    )
    electronic_scheme = models.CharField(
        _("kind of electronic address"),
        max_length=4,
        blank=True,
        default="",
        db_default="",
        help_text=_("Code of the EAS list: 0225 for a French address, 9957 for a French VAT number."),
    )
    requires_e_invoice = models.BooleanField(
        _("must get e-invoices"),
        default=False,
        db_default=False,
        help_text=_("Invoices are then issued only when their electronic form passes every check."),
    )

    class Meta:
        verbose_name = _("billing profile")
        verbose_name_plural = _("billing profiles")

    def __str__(self) -> str:
        return self.company or self.name or str(self.organization)
