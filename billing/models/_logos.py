"""The logo on documents, apart from the legal entity: its rows are read with every invoice, the logo only to print."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models._legal_entities import LegalEntity


class SellerLogo(models.Model):
    """An SVG image, checked before it was stored (`documents.pdf.logos`); the digest tells one from another."""

    legal_entity = models.OneToOneField(LegalEntity, models.CASCADE, primary_key=True, related_name="logo")
    svg = models.TextField(_("logo"))
    digest = models.CharField(_("SHA-256"), max_length=64)

    class Meta:
        verbose_name = _("logo")
        verbose_name_plural = _("logos")

    def __str__(self) -> str:
        return str(self.legal_entity)
