"""What staff change about a month's invoice: a layer over the computed lines, which stay what they are."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Adjustment(models.Model):
    """One change by hand of the invoice of an organization and month; undone, never deleted.

    It belongs to the month, not to the draft: whenever the draft is computed anew, it is applied again. ``target``
    names the computed line that it is about (see ``domain.adjustments``) and ``target_net_cents`` what that line was
    when somebody decided: when it is another now, that is a conflict which somebody has to decide.
    """

    class Kind(models.TextChoices):
        LINE = "line", _("line")
        DISCOUNT = "discount", _("discount")
        REFILL = "refill", _("other refill")
        SKIP = "skip", _("skipped line")
        DUE_DATE = "due_date", _("due date")
        PURCHASE_ORDER = "purchase_order", _("purchase order")
        NOTE = "note", _("note to the customer")

    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    month = models.DateField(_("consumption month"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    target = models.CharField(_("line"), max_length=60, blank=True)
    target_net_cents = models.BigIntegerField(_("net amount of the line then"), null=True, blank=True)
    name = models.CharField(_("description"), max_length=500, blank=True)
    quantity_micro = models.BigIntegerField(_("quantity"), null=True, blank=True)
    unit_price_micro = models.BigIntegerField(_("unit price"), null=True, blank=True)
    amount_cents = models.BigIntegerField(_("amount"), null=True, blank=True)
    percent_ppm = models.PositiveIntegerField(_("percentage"), null=True, blank=True)
    day = models.DateField(_("date"), null=True, blank=True)
    text = models.CharField(_("text"), max_length=2000, blank=True)
    reason = models.CharField(_("reason"), max_length=1000)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField(_("created"))
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(condition=~Q(reason=""), name="adjustment_has_reason"),
            models.CheckConstraint(
                condition=Q(percent_ppm__isnull=True) | Q(percent_ppm__lte=1_000_000),
                name="adjustment_discount_at_most_all",
            ),
            models.CheckConstraint(
                condition=Q(amount_cents__isnull=True) | Q(amount_cents__gte=0), name="adjustment_amount_not_negative"
            ),
        )
        # A close reads those in force, a page all of a month: both find them here.
        indexes = (models.Index(fields=("organization", "month"), name="adjustment_of_month"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.month:%Y-%m}"
