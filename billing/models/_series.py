"""Gapless number sequences of issued documents."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class NumberSeries(models.Model):
    """One sequence of a legal entity. Its row is locked by the transaction that takes a number from it."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoices")
        CREDIT_NOTE = "credit_note", _("credit notes")

    legal_entity = models.ForeignKey(
        "billing.LegalEntity", verbose_name=_("legal entity"), on_delete=models.PROTECT, db_index=False
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    template = models.CharField(_("template"), max_length=100, help_text=_("For example F{date:%Y%m%d}-{counter:06d}."))
    last_counter = models.PositiveIntegerField(_("last number taken"), default=0, editable=False)
    last_date = models.DateField(_("date of the last number"), null=True, editable=False)
    last_hash = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The content hash of the last document, which the next one is chained to.",
    )

    class Meta:
        verbose_name = _("number series")
        verbose_name_plural = _("number series")
        constraints = (models.UniqueConstraint(fields=("legal_entity", "kind"), name="series_once_per_kind"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.template}"
