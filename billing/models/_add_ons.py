"""Subscriptions of organizations to add-on plans."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class AddOn(models.Model):
    """Active over ``[started_on, ended_on)``; remembers until which day (exclusive) it is billed."""

    external_id = models.CharField(_("identifier"), max_length=100, unique=True)
    organization = models.ForeignKey(
        "organizations.Organization", verbose_name=_("organization"), on_delete=models.PROTECT, related_name="add_ons"
    )
    plan = models.ForeignKey(
        "billing.AddOnPlan", verbose_name=_("plan"), on_delete=models.PROTECT, related_name="add_ons"
    )
    name = models.CharField(_("name"), max_length=300)
    started_on = models.DateField(_("started on"))
    ended_on = models.DateField(_("ended on"), null=True, blank=True, help_text=_("The first day without it."))
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    billed_until = models.DateField(_("billed until"), null=True, editable=False)

    class Meta:
        verbose_name = _("add-on")
        verbose_name_plural = _("add-ons")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
                name="add_on_ends_after_start",
            ),
        )

    def __str__(self) -> str:
        return self.name
