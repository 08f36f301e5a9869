"""What the law asks for beside the figures, as dated rows: texts, and the rates that VAT in euros is computed with."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.domain import legal


class LegalText(models.Model):
    """A text that documents carry from a day on, in one language; the references change, so it is never code."""

    class Code(models.TextChoices):
        LATE_PAYMENT_COSTS = legal.LATE_PAYMENT_COSTS, _("PMT: compensation for recovery costs")
        LATE_PAYMENT_INTEREST = legal.LATE_PAYMENT_INTEREST, _("PMD: interest on late payment")
        EARLY_PAYMENT = legal.EARLY_PAYMENT, _("AAB: discount for early payment")
        VAT_ON_DEBITS = legal.VAT_ON_DEBITS, _("VAT on debits")
        REVERSE_CHARGE = legal.REVERSE_CHARGE, _("AE: reverse charge")
        OUTSIDE_EU = legal.OUTSIDE_EU, _("O: customer outside the EU")
        OVERSEAS = legal.OVERSEAS, _("O: French territory without VAT")

    class Language(models.TextChoices):
        FRENCH = "fr", _("French")
        ENGLISH = "en", _("English")

    code = models.CharField(_("mention"), max_length=20, choices=Code)
    language = models.CharField(_("language"), max_length=2, choices=Language)
    text = models.TextField(_("text"), max_length=1000)
    valid_from = models.DateField(_("valid from"))

    class Meta:
        verbose_name = _("legal text")
        verbose_name_plural = _("legal texts")
        ordering = ("code", "language", "-valid_from")
        constraints = (
            models.UniqueConstraint(fields=("code", "language", "valid_from"), name="legal_text_once_a_day"),
            models.CheckConstraint(condition=~Q(text=""), name="legal_text_says_something"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.language} {self.valid_from:%Y-%m-%d}"


class ExchangeRate(models.Model):
    """A reference rate of the European Central Bank, as it publishes them: so much of a currency for one euro.

    The law wants the VAT of a document in another currency in euros too, at the last rate that was published.
    """

    currency = models.CharField(_("currency"), max_length=3)
    day = models.DateField(_("day"))
    per_euro_micro = models.BigIntegerField(
        _("for one euro"), help_text=_("As the European Central Bank publishes it, such as 1.0837 for USD.")
    )

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering = ("currency", "-day")
        constraints = (
            models.UniqueConstraint(fields=("currency", "day"), name="exchange_rate_once_a_day"),
            models.CheckConstraint(condition=Q(per_euro_micro__gt=0), name="exchange_rate_positive"),
        )

    def __str__(self) -> str:
        return f"{self.currency} {self.day:%Y-%m-%d}"
