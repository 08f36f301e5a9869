"""Bulk work of the finance desk: the click leaves rows, workers take them up, also after a restart."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class BulkJob(models.Model):
    """One piece of bulk work on a month: who asked for it, and how far it is. Its items say what became of each."""

    class Kind(models.TextChoices):
        ISSUE = "issue", _("issue invoices")
        REFRESH = "refresh", _("refresh drafts")
        RETRY = "retry", _("retry blocked organizations")
        PREVIEW = "preview", _("dry run")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for approval")
        RUNNING = "running", _("running")
        DONE = "done", pgettext_lazy("bulk job", "finished")
        REFUSED = "refused", _("refused")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    close = models.ForeignKey(
        "billing.MonthClose", verbose_name=_("month close"), on_delete=models.PROTECT, related_name="jobs"
    )
    issue_date = models.DateField(_("issue date"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("approver"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    failures = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="How often in a row the database gave up on its work."
    )
    not_before = models.DateTimeField(null=True, blank=True, editable=False, help_text="When it is tried again.")

    class Meta:
        verbose_name = _("bulk job")
        verbose_name_plural = _("bulk jobs")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.close}"


class BulkJobItem(models.Model):
    """One paying organization of a bulk job. ``reason_values`` of a dry run hold the totals before and after."""

    class State(models.TextChoices):
        LEFT = "left", _("to do")
        DONE = "done", _("done")
        CHANGED = "changed", _("would change")
        FAILED = "failed", _("failed")

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="items", db_index=False)
    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.LEFT)
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    reason_values = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("item of a bulk job")
        verbose_name_plural = _("items of bulk jobs")
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("job", "organization"), name="bulk_job_item_once"),)
        indexes = (
            models.Index(fields=("job", "id"), condition=Q(state="left"), name="bulk_job_item_left"),
            models.Index(fields=("job", "state", "id"), name="bulk_job_item_by_state"),
        )

    def __str__(self) -> str:
        return f"{self.job_id} {self.organization_id} {self.state}"
