"""The customer and the terms agreed with it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _


class Organization(models.Model):
    """A customer (BG-7). A sub-organization is billed on the invoice of its parent, one level deep."""

    external_id = models.CharField(_("identifier"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=300)
    parent = models.ForeignKey(
        "self",
        verbose_name=_("billed on the invoice of"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        help_text=_("A new parent counts from the next month that is closed."),
    )
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    opened_on = models.DateField(_("opened on"))
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    forecast_months = models.PositiveSmallIntegerField(
        _("months of the estimate"),
        default=1,
        help_text=_("The provision is the mean of this many closed months; 0 means no provision."),
    )
    negotiated_refill_cents = models.BigIntegerField(_("negotiated refill"), null=True, blank=True)
    negotiated_refill_until = models.DateField(
        _("negotiated refill until"),
        null=True,
        blank=True,
        help_text=_("The last day of the agreement; for months that begin later the refill is computed again."),
    )
    consumption_discount_ppm = models.PositiveIntegerField(_("discount on consumption"), default=0)
    refill_author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_index=False,
        help_text="Who set the negotiated refill in the desk; nobody: the platform.",
    )
    discount_author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_index=False,
        help_text="Who set the discount in the desk; nobody: the platform.",
    )
    payment_term_days = models.PositiveSmallIntegerField(_("payment term in days"), default=30)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ("-id",)
        indexes = (
            models.Index(Upper("name"), name="organization_name_upper"),
            models.Index(Upper("external_id"), name="organization_ext_id_upper"),
        )
        constraints = (
            models.CheckConstraint(condition=~Q(parent=F("id")), name="organization_not_own_parent"),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                name="organization_closes_after_open",
            ),
            models.CheckConstraint(
                condition=Q(negotiated_refill_cents__isnull=True) | Q(negotiated_refill_cents__gte=0),
                name="organization_refill_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(consumption_discount_ppm__lte=1_000_000), name="organization_discount_at_most_all"
            ),
        )

    def __str__(self) -> str:
        return self.name
