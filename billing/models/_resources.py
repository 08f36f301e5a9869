"""What an organization runs."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Resource(models.Model):
    """An application, managed service or bucket; it belongs to one organization for good."""

    external_id = models.CharField(_("identifier"), max_length=100, unique=True)
    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="resources",
    )
    name = models.CharField(_("name"), max_length=300)

    class Meta:
        verbose_name = _("resource")
        verbose_name_plural = _("resources")
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name
