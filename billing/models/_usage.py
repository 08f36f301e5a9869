"""Measured consumption, and which of it is still to be billed."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class UsageRecord(models.Model):
    """A quantity measured over a time span that lies within one month.

    A record that spans months is stored as one part per month; ``part`` counts them, so that
    ``(month, source, event_id, part)`` is the event's identity. On PostgreSQL the table is partitioned by month.
    References carry no database constraint: the use case that writes them checks them, ``verify`` proves them.
    """

    month = models.DateField(_("month"))
    source = models.CharField(_("source"), max_length=100)
    event_id = models.CharField(_("event"), max_length=200)
    part = models.PositiveSmallIntegerField(_("part"), default=0)
    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    resource = models.ForeignKey(
        "billing.Resource",
        verbose_name=_("resource"),
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    meter = models.ForeignKey(
        "billing.Meter",
        verbose_name=_("meter"),
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    zone = models.CharField(_("zone"), max_length=50, blank=True)
    started_at = models.DateTimeField(_("start"))
    ended_at = models.DateTimeField(_("end"))
    quantity_micro = models.BigIntegerField(_("quantity"))
    content_hash = models.BinaryField(max_length=16)
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("usage record")
        verbose_name_plural = _("usage records")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("month", "source", "event_id", "part"), name="usage_event_once"),
            models.CheckConstraint(condition=Q(quantity_micro__gte=0), name="usage_not_negative"),
            models.CheckConstraint(condition=Q(ended_at__gte=F("started_at")), name="usage_ends_after_start"),
        )
        indexes = (
            # Holds all that a close reads, so that a batch is an index-only scan whatever the order of arrival.
            models.Index(
                fields=("month", "organization", "resource", "meter", "zone"),
                include=("quantity_micro", "started_at", "ended_at"),
                name="usage_of_a_month",
            ),
        )

    def __str__(self) -> str:
        return f"{self.source}/{self.event_id}"


class UsageMonth(models.Model):
    """That an organization has usage in a month, and whether some of it is not billed yet.

    Whoever stores usage locks the row (shared), whoever settles the month locks it (exclusively): usage that
    arrives while an invoice is being issued is either on that invoice or flagged for the next one.
    """

    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    month = models.DateField(_("month"))
    unbilled = models.BooleanField(_("has unbilled usage"), default=True)

    class Meta:
        verbose_name = _("month with usage")
        verbose_name_plural = _("months with usage")
        constraints = (models.UniqueConstraint(fields=("organization", "month"), name="usage_month_once"),)
        indexes = (
            models.Index(fields=("organization", "month"), condition=Q(unbilled=True), name="usage_month_unbilled"),
        )

    def __str__(self) -> str:
        return f"{self.organization_id} {self.month:%Y-%m}"
