"""What is sold and for how much: meters with versioned prices, add-on plans with monthly prices."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from billing.models._fields import UnitPriceField


class Meter(models.Model):
    """What is measured, whatever the zone. Codes are looked up without regard to case."""

    code = models.CharField(_("code"), max_length=100)
    name = models.CharField(_("name"), max_length=200)
    unit = models.CharField(_("unit"), max_length=30, help_text=_("For example second, GB-hour, GB, User."))
    category = models.CharField(_("category"), max_length=50)

    class Meta:
        verbose_name = _("meter")
        verbose_name_plural = _("meters")
        ordering = ("code",)
        constraints = (models.UniqueConstraint(Upper("code"), name="meter_code_unique"),)

    def __str__(self) -> str:
        return self.code


class Price(models.Model):
    """A version of the price of a meter: the catalogue's, or negotiated with one organization.

    Valid over ``[valid_from, valid_to)``; no start means from ever, no end means until a later version.
    """

    class Mode(models.TextChoices):
        GRADUATED = "graduated", _("graduated: each tier prices its own slice")
        VOLUME = "volume", _("volume: the reached tier prices everything")

    meter = models.ForeignKey(Meter, verbose_name=_("meter"), on_delete=models.PROTECT, related_name="prices")
    zone = models.CharField(_("zone"), max_length=50, blank=True, help_text=_("Empty: any zone."))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("negotiated with"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="negotiated_prices",
    )
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_to = models.DateTimeField(_("valid until"), null=True, blank=True)
    per_quantity_micro = models.BigIntegerField(_("quantity of the unit price"))
    package_micro = models.BigIntegerField(_("package size"), null=True, blank=True)
    mode = models.CharField(_("tiers"), max_length=10, choices=Mode, default=Mode.GRADUATED)
    bounds_per_hour = models.BooleanField(
        _("bounds per hour"), default=False, help_text=_("Multiply the tier bounds by the hours of the month.")
    )

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ("meter__code", "zone", "currency", "valid_from")
        constraints = (
            models.CheckConstraint(condition=Q(per_quantity_micro__gt=0), name="price_per_positive_quantity"),
            models.CheckConstraint(
                condition=Q(package_micro__isnull=True) | Q(package_micro__gt=0), name="price_package_positive"
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="price_ends_after_start",
            ),
            models.UniqueConstraint(
                fields=("meter", "zone", "currency", "valid_from"),
                condition=Q(organization__isnull=True, valid_from__isnull=False),
                name="price_catalogue_start_once",
            ),
            models.UniqueConstraint(
                fields=("meter", "zone", "currency"),
                condition=Q(organization__isnull=True, valid_from__isnull=True),
                name="price_catalogue_ever_once",
            ),
            models.UniqueConstraint(
                fields=("meter", "zone", "currency", "organization", "valid_from"),
                condition=Q(organization__isnull=False, valid_from__isnull=False),
                name="price_negotiated_start_once",
            ),
            models.UniqueConstraint(
                fields=("meter", "zone", "currency", "organization"),
                condition=Q(organization__isnull=False, valid_from__isnull=True),
                name="price_negotiated_ever_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.meter} {self.zone or '*'} {self.currency}"


class PriceTier(models.Model):
    """One slice of a price; ``up_to`` is inclusive, the last tier has none."""

    price = models.ForeignKey(Price, on_delete=models.CASCADE, related_name="tiers", db_index=False)
    position = models.PositiveSmallIntegerField()
    up_to_micro = models.BigIntegerField(_("up to"), null=True, blank=True)
    unit_price = UnitPriceField(_("unit price"))

    class Meta:
        verbose_name = _("price tier")
        verbose_name_plural = _("price tiers")
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("price", "position"), name="price_tier_position_once"),
            models.CheckConstraint(
                condition=Q(up_to_micro__isnull=True) | Q(up_to_micro__gt=0), name="price_tier_bound_positive"
            ),
        )

    def __str__(self) -> str:
        return str(self.unit_price)


class AddOnPlan(models.Model):
    """A product with a fixed monthly price."""

    code = models.CharField(_("code"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")

    class Meta:
        verbose_name = _("add-on plan")
        verbose_name_plural = _("add-on plans")
        ordering = ("code",)

    def __str__(self) -> str:
        return self.name


class AddOnPlanPrice(models.Model):
    """The monthly price of a plan from a day on; no day means from ever."""

    plan = models.ForeignKey(AddOnPlan, on_delete=models.CASCADE, related_name="prices", db_index=False)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    monthly_price_cents = models.BigIntegerField(_("monthly price"))

    class Meta:
        verbose_name = _("monthly price")
        verbose_name_plural = _("monthly prices")
        ordering = (F("valid_from").asc(nulls_first=True),)
        constraints = (
            models.CheckConstraint(condition=Q(monthly_price_cents__gte=0), name="plan_price_not_negative"),
            models.UniqueConstraint(
                fields=("plan", "valid_from"), condition=Q(valid_from__isnull=False), name="plan_price_start_once"
            ),
            models.UniqueConstraint(
                fields=("plan",), condition=Q(valid_from__isnull=True), name="plan_price_ever_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.plan} {self.monthly_price_cents / 100:.2f}"
