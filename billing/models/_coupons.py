"""Coupons that give free credits."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Coupon(models.Model):
    """Gives free credits, at most once per organization and ``maximum_uses`` times in all."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    amount_cents = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True, help_text=_("The last day."))
    credits_last_days = models.PositiveIntegerField(
        _("days the credits last"),
        null=True,
        blank=True,
        help_text=_("Counted from the day of use, to the end of that month. Empty: they do not expire."),
    )
    maximum_uses = models.PositiveIntegerField(_("maximum uses"), null=True, blank=True)

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="coupon_positive"),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
                name="coupon_ends_after_start",
            ),
        )

    def __str__(self) -> str:
        return self.name


class CouponUse(models.Model):
    """That an organization used a coupon, and the grant it got."""

    coupon = models.ForeignKey(Coupon, verbose_name=_("coupon"), on_delete=models.PROTECT, related_name="uses")
    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="coupon_uses",
    )
    grant = models.OneToOneField(
        "billing.CreditGrant", verbose_name=_("grant"), on_delete=models.PROTECT, related_name="coupon_use"
    )
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("used by"), on_delete=models.PROTECT, null=True, blank=True
    )
    used_at = models.DateTimeField(_("used"))

    class Meta:
        verbose_name = _("coupon use")
        verbose_name_plural = _("coupon uses")
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("coupon", "organization"), name="coupon_once_per_organization"),)

    def __str__(self) -> str:
        return f"{self.coupon} · {self.organization}"
