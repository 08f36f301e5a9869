"""Lots of credits and their ledger."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class CreditGrant(models.Model):
    """A lot of credits: free (may expire), or prepaid and usable once the invoice that sold it is fully paid.

    ``remaining_cents`` repeats the sum of the entries, so that the database itself refuses an overdraft;
    ``verify`` compares the two. A write-off cancels what is pending (nobody is expected to pay it) and leaves its
    amount in ``pending_cents``, should the customer pay after all.
    """

    class Type(models.TextChoices):
        FREE = "free", _("free")
        PREPAID = "prepaid", _("prepaid")

    class State(models.TextChoices):
        PENDING = "pending", _("pending payment")
        ACTIVE = "active", _("active")
        CANCELLED = "cancelled", _("cancelled")

    reference = models.CharField(_("reference"), max_length=100, unique=True, null=True, blank=True)
    organization = models.ForeignKey(
        "organizations.Organization", verbose_name=_("organization"), on_delete=models.PROTECT, related_name="credits"
    )
    type = models.CharField(_("type"), max_length=10, choices=Type)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    amount_cents = models.BigIntegerField(_("amount"))
    remaining_cents = models.BigIntegerField(_("remaining"), default=0, editable=False)
    pending_cents = models.BigIntegerField(
        _("pending payment"),
        default=0,
        db_default=0,
        editable=False,
        help_text="Becomes usable when its invoice is fully paid: all of it, or what a chargeback suspended.",
    )
    currency = models.CharField(_("currency"), max_length=3)
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    expires_on = models.DateField(_("last day"), null=True, blank=True)
    priority = models.IntegerField(_("priority"), default=0, help_text=_("The lowest is used first."))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Who gave them in the desk; nobody: the platform, an invoice.",
    )
    sold_by = models.OneToOneField(
        "billing.Invoice",
        verbose_name=_("sold by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sold_credits",
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("credit grant")
        verbose_name_plural = _("credit grants")
        ordering = ("-id",)
        indexes = (
            models.Index(
                fields=("organization",),
                condition=Q(remaining_cents__gt=0) | Q(state="pending"),
                name="credit_grant_open",
            ),
            models.Index(fields=("organization",), condition=Q(author__isnull=False), name="credit_grant_by_hand"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="credit_grant_positive"),
            models.CheckConstraint(
                condition=Q(remaining_cents__gte=0) & Q(remaining_cents__lte=F("amount_cents")),
                name="credit_grant_not_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(state="active") | Q(remaining_cents=0), name="credit_grant_usable_only_active"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", pending_cents__gt=0, pending_cents__lte=F("amount_cents"))
                | Q(state="active", pending_cents=0)
                | Q(state="cancelled", pending_cents__gte=0, pending_cents__lte=F("amount_cents")),
                name="credit_grant_pending_part",
            ),
            models.CheckConstraint(
                condition=Q(type="free") | Q(expires_on__isnull=True), name="credit_grant_prepaid_never_expires"
            ),
            models.CheckConstraint(
                condition=Q(expires_on__isnull=True) | Q(starts_on__isnull=True) | Q(expires_on__gte=F("starts_on")),
                name="credit_grant_ends_after_start",
            ),
        )

    def __str__(self) -> str:
        return self.reference or self.reason or f"{self.get_type_display()} {self.pk}"


class CreditEntry(models.Model):
    """One signed movement on a grant; never changed, never deleted."""

    class Kind(models.TextChoices):
        GRANT = "grant", _("granted")
        USE = "use", _("used")
        RETURN = "return", _("given back")
        SUSPENSION = "suspension", _("suspended")
        EXPIRY = "expiry", _("expired")
        REVOCATION = "revocation", _("revoked")
        REFUND = "refund", _("refunded")

    grant = models.ForeignKey(CreditGrant, verbose_name=_("grant"), on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    amount_cents = models.BigIntegerField(_("amount"))
    month = models.DateField(_("consumption month"), null=True, blank=True)
    invoice = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("invoice"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="credit_entries",
    )
    outcome = models.ForeignKey(
        "billing.CloseOutcome",
        verbose_name=_("close without invoice"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="credit_entries",
    )
    booked_at = models.DateTimeField(_("booked"))

    class Meta:
        verbose_name = _("credit entry")
        verbose_name_plural = _("credit entries")
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=~Q(amount_cents=0), name="credit_entry_not_zero"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount_cents / 100:.2f}"
