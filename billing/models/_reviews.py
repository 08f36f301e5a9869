"""What a reviewer is told about drafts, and who looked at it: thresholds, acknowledgements, approvals."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _


class ReviewThresholds(models.Model):
    """From when on a draft is conspicuous: for everybody, or for one organization where it differs.

    A percentage of None never triggers. ``block_*`` makes a finding one that has to be acknowledged before issuing;
    until a controller sets it nothing blocks, so that a script can issue a month of whatever data.
    """

    organization = models.OneToOneField(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: for all organizations that have no thresholds of their own."),
    )
    jump_percent = models.PositiveIntegerField(_("jump, in percent"), null=True, blank=True, default=100)
    drop_percent = models.PositiveIntegerField(_("drop, in percent"), null=True, blank=True, default=60)
    least_change_cents = models.BigIntegerField(_("least change"), default=10_000)
    block_jump_percent = models.PositiveIntegerField(_("blocking jump, in percent"), null=True, blank=True)
    block_change_cents = models.BigIntegerField(_("least change that blocks"), default=5_000_000)
    provision_percent = models.PositiveIntegerField(
        _("provision against the highest recent consumption, in percent"), null=True, blank=True, default=200
    )
    most_lines = models.PositiveIntegerField(_("most usage lines"), default=2_000)

    class Meta:
        verbose_name = _("review thresholds")
        verbose_name_plural = _("review thresholds")
        constraints = (
            models.UniqueConstraint(Coalesce("organization", 0), name="review_thresholds_once"),
            models.CheckConstraint(
                condition=Q(least_change_cents__gte=0) & Q(block_change_cents__gte=0),
                name="review_thresholds_not_negative",
            ),
        )

    def __str__(self) -> str:
        return str(self.organization or _("all organizations"))


class Acknowledgement(models.Model):
    """Somebody has seen a blocking finding of a month and says why the draft may be issued all the same.

    ``finding`` is the digest of the finding's code and values: another finding has to be acknowledged anew.
    """

    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    month = models.DateField(_("consumption month"))
    code = models.CharField(_("finding"), max_length=40)
    finding = models.CharField(max_length=32)
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

    class Meta:
        verbose_name = _("acknowledgement")
        verbose_name_plural = _("acknowledgements")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("organization", "month", "finding"), name="acknowledged_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="acknowledgement_has_reason"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.month:%Y-%m}"


class ApprovalPolicy(models.Model):
    """From which amounts on a second person has to approve; None: never. Set by a controller."""

    legal_entity = models.OneToOneField(
        "billing.LegalEntity", verbose_name=_("legal entity"), on_delete=models.CASCADE, related_name="approval_policy"
    )
    invoice_total_cents = models.BigIntegerField(_("invoice total from"), null=True, blank=True)
    manual_line_cents = models.BigIntegerField(_("manual line from"), null=True, blank=True)
    discount_cents = models.BigIntegerField(_("discount from"), null=True, blank=True)
    credit_note_cents = models.BigIntegerField(_("credit note total from"), null=True, blank=True)
    bulk_count = models.PositiveIntegerField(_("invoices issued at once from"), null=True, blank=True)

    class Meta:
        verbose_name = _("approval policy")
        verbose_name_plural = _("approval policies")

    def __str__(self) -> str:
        return str(self.legal_entity)


class Approval(models.Model):
    """A second person's yes to a draft as it was, void as soon as anything changes.

    ``fingerprint`` is that of the computed content, ``parties`` that of seller, buyer and payment term.
    """

    invoice = models.ForeignKey(
        "billing.Invoice", verbose_name=_("invoice"), on_delete=models.CASCADE, related_name="approvals"
    )
    fingerprint = models.CharField(max_length=32, editable=False)
    parties = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("approver"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    approved_at = models.DateTimeField(_("approved"))

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("invoice", "fingerprint", "parties", "approver"), name="approval_once"),
        )

    def __str__(self) -> str:
        return f"{self.approver} {self.approved_at:%Y-%m-%d}"
