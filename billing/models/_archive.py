"""Where the files of each issued document are: rendered once, then kept as they are."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ArchivedDocument(models.Model):
    """The place in the archive of one issued document; the row is there from the moment of issuing.

    Names are those of the storage `documents`. Whoever renders first moves ``not_before`` ahead: killed meanwhile, the
    document is due again by itself. The database refuses to change what is stored, and to delete anything.
    """

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("files", "waiting")
        STORED = "stored", pgettext_lazy("files", "stored")
        FAILED = "failed", pgettext_lazy("files", "failed, tried again")

    invoice = models.OneToOneField(
        "billing.Invoice",
        verbose_name=_("document"),
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="archived",
    )
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    not_before = models.DateTimeField(_("next attempt"), help_text="When it is due, or due again.")
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    error = models.CharField(_("why it failed"), max_length=1000, blank=True)
    pdf_name = models.CharField(_("PDF"), max_length=200, blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)
    pdf_bytes = models.BigIntegerField(default=0)
    xml_name = models.CharField(_("e-invoice"), max_length=200, blank=True)
    xml_sha256 = models.CharField(max_length=64, blank=True)
    xml_bytes = models.BigIntegerField(default=0)
    rendered_at = models.DateTimeField(_("stored at"), null=True, blank=True)

    class Meta:
        verbose_name = _("archived document")
        verbose_name_plural = _("archived documents")
        ordering = ("-invoice",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state="stored", rendered_at__isnull=False, pdf_bytes__gt=0, xml_bytes__gt=0)
                & ~Q(pdf_name="")
                & ~Q(pdf_sha256="")
                & ~Q(xml_name="")
                & ~Q(xml_sha256="")
                | ~Q(state="stored") & Q(rendered_at__isnull=True, pdf_name="", xml_name=""),
                name="archived_document_complete_when_stored",
            ),
        )
        indexes = (
            # What is left to render, soonest first: it stays small however many documents there are.
            models.Index(fields=("not_before", "invoice"), condition=~Q(state="stored"), name="archived_document_left"),
        )

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.state}"
