"""The invoice. It and its parts are computed, written by the close and by issuing, never edited."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.domain.lifecycle import DocumentState, PaymentState

DOCUMENT_STATES = (
    (DocumentState.DRAFT.value, _("draft")),
    (DocumentState.ISSUED.value, _("issued")),
    (DocumentState.DISCARDED.value, _("discarded")),
)
PAYMENT_STATES = (
    (PaymentState.PENDING.value, _("pending")),
    (PaymentState.PROCESSING.value, _("processing")),
    (PaymentState.PAYMENT_HELD.value, _("payment held")),
    (PaymentState.PAID.value, _("paid")),
    (PaymentState.CANCELED.value, _("cancelled")),
    (PaymentState.REFUNDED.value, _("refunded")),
    (PaymentState.WONT_PAY.value, _("written off")),
)


class Invoice(models.Model):
    """The legal document of one organization and consumption month; a draft until it is issued."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        CREDIT_NOTE = "credit_note", _("credit note")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.INVOICE)
    document_state = models.CharField(_("document"), max_length=10, choices=DOCUMENT_STATES, default="draft")
    payment_state = models.CharField(_("payment"), max_length=12, choices=PAYMENT_STATES, default="pending")
    legal_entity = models.ForeignKey(
        "billing.LegalEntity", verbose_name=_("legal entity"), on_delete=models.PROTECT, db_index=False
    )
    organization = models.ForeignKey(
        "organizations.Organization",
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="invoices",
        db_index=False,
    )
    consumption_month = models.DateField(_("consumption month"))
    currency = models.CharField(_("currency"), max_length=3)
    number = models.CharField(_("number"), max_length=60, null=True, blank=True)  # noqa: DJ001  # drafts have none
    counter = models.PositiveIntegerField(_("counter"), null=True, blank=True)
    issue_date = models.DateField(_("issue date"), null=True, blank=True)
    due_date = models.DateField(_("due date"), null=True, blank=True)
    refers_to = models.ForeignKey(
        "self",
        verbose_name=_("refers to"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="credit_notes",
    )
    subtotal_cents = models.BigIntegerField(_("subtotal excl. VAT"))
    vat_cents = models.BigIntegerField(_("VAT"))
    total_cents = models.BigIntegerField(_("total"))
    paid_cents = models.BigIntegerField(_("paid"), default=0)
    credited_cents = models.BigIntegerField(
        _("credited"), default=0, db_default=0, help_text="The totals of its issued credit notes."
    )
    fingerprint = models.CharField(max_length=32, editable=False, help_text="Of the computed content.")
    review_notes = models.JSONField(_("findings"), default=list, blank=True)
    open_findings = models.PositiveIntegerField(
        _("open findings"),
        default=0,
        db_default=0,
        help_text="Blocking ones that nobody has acknowledged, and conflicts with adjustments.",
    )
    hold_reason = models.CharField(_("on hold because"), max_length=1000, blank=True, default="", db_default="")
    note = models.CharField(_("note to the customer"), max_length=2000, blank=True, default="", db_default="")
    released = models.BooleanField(
        _("replaced"),
        default=False,
        db_default=False,
        help_text="Credited in full so that its month can be invoiced again: what it billed is billed anew.",
    )
    seller = models.JSONField(_("seller"), null=True, blank=True, help_text=_("Copied when the invoice is issued."))
    buyer = models.JSONField(_("buyer"), null=True, blank=True, help_text=_("Copied when the invoice is issued."))
    printed = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="What it prints of rows that may change, copied when it is issued: `billing.queries.printed`.",
    )
    created_at = models.DateTimeField(_("created"))
    computed_at = models.DateTimeField(_("computed"))
    issued_at = models.DateTimeField(_("issued"), null=True, blank=True)
    content_hash = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="SHA-256 of the issued document and of the hash of the one before in its series.",
    )

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "consumption_month"),
                condition=Q(kind="invoice", document_state__in=("draft", "issued"), released=False),
                name="invoice_one_live_per_month",
            ),
            models.UniqueConstraint(
                fields=("refers_to",),
                condition=Q(kind="credit_note", document_state="draft"),
                name="credit_note_one_draft",
            ),
            models.UniqueConstraint(
                fields=("legal_entity", "kind", "counter"),
                condition=Q(counter__isnull=False),
                name="invoice_counter_once",
            ),
            models.UniqueConstraint(
                fields=("legal_entity", "number"), condition=Q(number__isnull=False), name="invoice_number_once"
            ),
            models.CheckConstraint(
                condition=Q(total_cents=F("subtotal_cents") + F("vat_cents")), name="invoice_total_is_sum"
            ),
            models.CheckConstraint(
                condition=Q(subtotal_cents__gte=0) & Q(vat_cents__gte=0), name="invoice_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(paid_cents__gte=0, credited_cents__gte=0)
                & Q(total_cents__gte=F("paid_cents") + F("credited_cents")),
                name="invoice_paid_within_total",
            ),
            models.CheckConstraint(
                condition=Q(
                    document_state="issued",
                    number__isnull=False,
                    counter__isnull=False,
                    issue_date__isnull=False,
                    due_date__isnull=False,
                    issued_at__isnull=False,
                )
                | (~Q(document_state="issued") & Q(number__isnull=True, counter__isnull=True)),
                name="invoice_number_when_issued",
            ),
            models.CheckConstraint(
                condition=~Q(payment_state="paid") | Q(total_cents=F("paid_cents") + F("credited_cents")),
                name="invoice_paid_in_full",
            ),
        )
        permissions = (
            ("adjust_invoice", _("Can adjust, hold and acknowledge drafts")),
            ("approve_invoice", _("Can approve what somebody else did")),
            ("issue_invoice", _("Can issue invoices")),
            ("credit_invoice", _("Can credit invoices and close accounts")),
            ("settle_invoice", _("Can allocate payments")),
            ("refund_invoice", _("Can refund payments and write off invoices")),
            ("see_portal", _("Can see the portal as an organization, read-only")),
        )
        indexes = (
            # Counts a month's invoices by state without reading one of them.
            models.Index(
                fields=("consumption_month", "document_state", "payment_state", "kind", "released"),
                name="invoice_by_month",
            ),
            # Adds up a month's totals, and compares them with the month before, without reading one of them.
            models.Index(
                fields=("consumption_month", "organization"),
                include=("currency", "document_state", "subtotal_cents", "vat_cents", "total_cents"),
                condition=Q(kind="invoice", released=False),
                name="invoice_totals_of_month",
            ),
            models.Index(
                fields=("consumption_month",),
                condition=Q(document_state="draft") & (Q(open_findings__gt=0) | ~Q(hold_reason="")),
                name="invoice_not_ready",
            ),
            models.Index(fields=("organization", "-consumption_month"), name="invoice_of_organization"),
            models.Index(fields=("issue_date",), name="invoice_by_issue_date"),
            # What is owed, by whom and in all, without reading one of them.
            models.Index(
                fields=("organization", "due_date"),
                include=("id", "kind", "currency", "total_cents", "paid_cents", "credited_cents"),
                condition=Q(document_state="issued", payment_state="pending"),
                name="invoice_unpaid",
            ),
        )

    def __str__(self) -> str:
        return self.number or f"{self.get_document_state_display()} {self.consumption_month:%Y-%m}"
