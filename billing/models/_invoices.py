"""The invoice and its parts. Computed parts are written by the close and by issuing, never edited."""

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
            models.Index(
                fields=("consumption_month",),
                condition=Q(document_state="draft") & (Q(open_findings__gt=0) | ~Q(hold_reason="")),
                name="invoice_not_ready",
            ),
            models.Index(fields=("organization", "-consumption_month"), name="invoice_of_organization"),
            models.Index(fields=("issue_date",), name="invoice_by_issue_date"),
            models.Index(
                fields=("organization", "due_date"),
                condition=Q(document_state="issued", payment_state="pending"),
                name="invoice_unpaid",
            ),
        )

    def __str__(self) -> str:
        return self.number or f"{self.get_document_state_display()} {self.consumption_month:%Y-%m}"


class InvoiceLine(models.Model):
    """One printed line (BG-25). It names its period and a quantity times a unit price; VAT is frozen on it.

    ``name`` is what staff or the customer called it (an add-on, a charge); other lines are worded for their reader
    when they are shown. Lines outlive what they name, so only the invoice is a database constraint.
    """

    class Kind(models.TextChoices):
        PROVISION = "provision", _("credits provision")
        REGULARIZATION = "regularization", _("regularization")
        ADD_ON = "add_on", _("add-on")
        ONE_SHOT = "one_shot", _("one-shot operation")
        CUSTOM_SERVICE = "custom_service", _("custom service")
        ADJUSTMENT = "adjustment", _("adjustment")
        DISCOUNT = "discount", _("discount")

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    source_id = models.BigIntegerField(
        null=True, blank=True, help_text="The add-on, charge or adjustment that the line bills."
    )
    name = models.CharField(_("name"), max_length=500, blank=True)
    period_start = models.DateField(_("from"))
    period_end = models.DateField(_("until"))
    quantity_micro = models.BigIntegerField(_("quantity"))
    unit_price_micro = models.BigIntegerField(_("unit price"))
    net_cents = models.BigIntegerField(_("net amount"))
    vat_category = models.CharField(_("VAT category"), max_length=2)
    vat_rate_bp = models.PositiveSmallIntegerField(_("VAT rate"))
    credited_line_id = models.BigIntegerField(
        null=True, blank=True, help_text="Of a credit note: the line of the invoice that it takes back."
    )

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering = ("position",)

    def __str__(self) -> str:
        return self.name or self.get_kind_display()


class CreditStatement(models.Model):
    """How the credits evolved: lines a..i of the second section, and the sums they must agree with."""

    invoice = models.OneToOneField(Invoice, on_delete=models.CASCADE, primary_key=True, related_name="statement")
    free_balance_cents = models.BigIntegerField(_("previous free credits balance"))
    prepaid_balance_cents = models.BigIntegerField(_("previous prepaid credits balance"))
    used_free_cents = models.BigIntegerField(_("used free credits"))
    expired_cents = models.BigIntegerField(_("expired free credits"))
    used_prepaid_cents = models.BigIntegerField(_("used prepaid credits"))
    estimate_cents = models.BigIntegerField(_("estimated consumption, next period"))
    pending_cents = models.BigIntegerField(_("billed credits pending payment"))
    refill_cents = models.BigIntegerField(_("credits to refill"))
    fees_cents = models.BigIntegerField(_("fees"))
    regularization_cents = models.BigIntegerField(_("regularization"))
    direct_cents = models.BigIntegerField(_("lines that credits never pay"))
    subtotal_cents = models.BigIntegerField(_("subtotal excl. VAT"))

    class Meta:
        verbose_name = _("credit statement")
        verbose_name_plural = _("credit statements")
        constraints = (
            models.CheckConstraint(
                condition=Q(used_free_cents__lte=0)
                & Q(expired_cents__lte=0)
                & Q(used_prepaid_cents__lte=0)
                & Q(estimate_cents__lte=0)
                & Q(pending_cents__gte=0)
                & Q(refill_cents__gte=0)
                & Q(regularization_cents__gte=0)
                & Q(subtotal_cents__gte=0),
                name="statement_signs",
            ),
            models.CheckConstraint(
                condition=Q(free_balance_cents__gte=0 - F("used_free_cents") - F("expired_cents"))
                & Q(prepaid_balance_cents__gte=0 - F("used_prepaid_cents")),
                name="statement_never_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(regularization_cents=F("fees_cents") + F("used_free_cents") + F("used_prepaid_cents")),
                name="statement_regularization",
            ),
            models.CheckConstraint(
                condition=Q(regularization_cents=0)
                | Q(
                    free_balance_cents=0 - F("used_free_cents"),
                    prepaid_balance_cents=0 - F("used_prepaid_cents"),
                ),
                name="statement_credits_before_regularization",
            ),
            models.CheckConstraint(
                condition=Q(subtotal_cents=F("regularization_cents") + F("refill_cents") + F("direct_cents")),
                name="statement_subtotal",
            ),
        )

    def __str__(self) -> str:
        return f"{self.invoice_id}"


class TaxSubtotal(models.Model):
    """Base and VAT of one category and rate (BG-23)."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="tax_subtotals", db_index=False)
    category = models.CharField(_("VAT category"), max_length=2)
    rate_bp = models.PositiveSmallIntegerField(_("VAT rate"))
    base_cents = models.BigIntegerField(_("base"))
    vat_cents = models.BigIntegerField(_("VAT"))

    class Meta:
        verbose_name = _("tax subtotal")
        verbose_name_plural = _("tax subtotals")
        constraints = (models.UniqueConstraint(fields=("invoice", "category", "rate_bp"), name="tax_subtotal_once"),)

    def __str__(self) -> str:
        return f"{self.category} {self.rate_bp / 100:.2f} %"


class UsageDetail(models.Model):
    """One printed line of the third section: a resource's quantity of a meter, zone and price version in a month.

    No meter means the discount on consumption. ``resource_name`` is the name at the time of billing.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="usage_details")
    month = models.DateField(_("month"))
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    resource = models.ForeignKey(
        "billing.Resource",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    resource_name = models.CharField(_("resource"), max_length=300, blank=True)
    meter = models.ForeignKey(
        "billing.Meter",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    zone = models.CharField(_("zone"), max_length=50, blank=True)
    price = models.ForeignKey(
        "billing.Price",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    quantity_micro = models.BigIntegerField(_("quantity"), null=True, blank=True)
    amount_cents = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("usage detail")
        verbose_name_plural = _("usage details")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.resource_name} {self.amount_cents / 100:.2f}"
