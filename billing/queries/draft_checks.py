"""Checks of the e-invoices of drafts: what they found, whether that still counts, and what is to be checked."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import batched

from django.db.models import F, QuerySet
from msgspec import Struct, convert, json, structs

from billing.domain.e_invoices import Failure
from billing.domain.lifecycle import DocumentState
from billing.domain.review import Finding, Severity
from billing.models import DraftCheck, ExchangeRate, Invoice, LegalEntity, LegalText, NumberSeries
from billing.queries.among import among
from billing.queries.approvals import printed_parties
from billing.queries.legal_texts import EURO, OLDEST_RATE
from billing.queries.months import month_of
from organizations.models import BillingProfile

BATCH = 500
FAILED_AGAIN_AFTER = timedelta(hours=1)
"""A legal text or an exchange rate that was missing may be there by then."""
WORRYING_ATTEMPTS = 3
"""As often a check was begun that never came to its end: that is said instead of that it is done shortly."""
RATE_AGAIN_AFTER = timedelta(days=1)
"""The exchange rate that a check relied on is another one every day."""


class Content(Struct, frozen=True):
    """What a check is of: the computed content of a draft, and what issuing adds to it now."""

    fingerprint: str
    parties: str


class Checked(Struct, frozen=True):
    """A check: of what, when, and what it found."""

    content: Content
    failures: tuple[Failure, ...]
    checked_at: datetime | None
    asked_at: datetime | None = None
    attempts: int = 0

    def is_due(self, content: Content, currency: str, at: datetime) -> bool:
        """Whether it says nothing of this content, or may say something else by now."""
        if self.asked_at is not None or self.checked_at is None or self.content != content:
            return True
        age = at - self.checked_at
        return (bool(self.failures) and age >= FAILED_AGAIN_AFTER) or (currency != "EUR" and age >= RATE_AGAIN_AFTER)


def load_checks(invoice_ids: Collection[int]) -> dict[int, Checked]:
    """The last checks of drafts, by invoice."""
    rows = DraftCheck.objects.filter(among("invoice", invoice_ids)).values_list(
        "invoice_id", "fingerprint", "parties", "failures", "checked_at", "asked_at", "attempts"
    )
    return {
        id_: Checked(
            Content(fingerprint, parties), convert(failures, tuple[Failure, ...]), checked_at, asked_at, attempts
        )
        for id_, fingerprint, parties, failures, checked_at, asked_at, attempts in rows
    }


def who_must_get_e_invoices(payer_ids: Collection[int]) -> frozenset[int]:
    """The payers whose invoices are only issued when their electronic form passes every check."""
    profiles = BillingProfile.objects.filter(among("organization", payer_ids), requires_e_invoice=True)
    return frozenset(profiles.values_list("organization_id", flat=True))


def find_due(at: datetime) -> Iterator[int]:
    """Drafts to be checked: what somebody asked for first, then those of customers who must get e-invoices."""
    asked = DraftCheck.objects.filter(asked_at__isnull=False, invoice__document_state=DocumentState.DRAFT.value)
    yield from asked.order_by("asked_at", "invoice_id").values_list("invoice_id", flat=True)
    payer_ids = list(BillingProfile.objects.filter(requires_e_invoice=True).values_list("organization_id", flat=True))
    drafts = Invoice.objects.filter(among("organization", payer_ids), document_state=DocumentState.DRAFT.value)
    ids = list(drafts.order_by("id").values_list("id", flat=True)) if payer_ids else []
    for batch in batched(ids, BATCH, strict=False):
        checks, contents = load_checks(batch), load_contents(batch)
        for id_, (content, currency) in contents.items():
            check = checks.get(id_)
            if check is None or (check.asked_at is None and check.is_due(content, currency, at)):
                yield id_


def load_contents(invoice_ids: Collection[int]) -> dict[int, tuple[Content, str]]:
    """What drafts say now, and their currencies."""
    rows = Invoice.objects.filter(among("id", invoice_ids), document_state=DocumentState.DRAFT.value).order_by("id")
    columns = ("id", "organization_id", "legal_entity_id", "fingerprint", "currency")
    drafts = list(rows.values_list(*columns))
    parties: dict[tuple[int, int], str] = {}
    for seller in LegalEntity.objects.filter(among("id", {seller_id for _, _, seller_id, _, _ in drafts})):
        payer_ids = {payer_id for _, payer_id, seller_id, _, _ in drafts if seller_id == seller.pk}
        parties |= {(seller.pk, payer_id): digest for payer_id, digest in checked_parties(payer_ids, seller).items()}
    return {
        id_: (Content(fingerprint, parties[seller_id, payer_id]), currency)
        for id_, payer_id, seller_id, fingerprint, currency in drafts
    }


def checked_parties(payer_ids: Collection[int], seller: LegalEntity) -> dict[int, str]:
    """What a check sees beside the computed content, as it is now, by payer: 32 hexadecimal digits.

    The parties and the payment term, all legal texts, and how documents are numbered. Of the buyer a credit note takes
    no more than whether e-invoices are due; it is checked again when other things of it change, which harms nobody.
    """
    series = NumberSeries.objects.filter(legal_entity=seller).order_by("kind").values_list("kind", "template")
    texts = LegalText.objects.order_by("id").values_list("code", "language", "valid_from", "text")
    common = json.encode([list(series), list(texts)])
    return {
        payer_id: blake2b(common + digest.encode(), digest_size=16).hexdigest()
        for payer_id, digest in printed_parties(payer_ids, seller).items()
    }


def e_invoice_findings(draft: Invoice) -> list[Finding]:
    """What the page of a draft says about its e-invoice: what is wrong, that it is valid, or that it is not checked.

    Blocking where the customer must get one; for everybody else a warning, once somebody has asked. That no exchange
    rate is known is told unasked: without one there is no document either.
    """
    if draft.document_state != DocumentState.DRAFT.value:
        return []
    is_required = bool(who_must_get_e_invoices([draft.organization_id]))
    check = load_checks([draft.pk]).get(draft.pk)
    if check is None and not is_required:
        return _rate_findings(draft)
    now = load_contents([draft.pk]).get(draft.pk)
    if now is None:  # issued a moment ago
        return []
    if check is None or check.content != now[0] or check.asked_at:
        return _unchecked(check, is_required=is_required)
    if not check.failures:
        return [Finding("e_invoice_valid", "info")]
    severity: Severity = "blocking" if is_required else "warning"
    return [Finding("e_invoice", severity, structs.asdict(failure)) for failure in check.failures]


def _unchecked(check: Checked | None, *, is_required: bool) -> list[Finding]:
    if not is_required and (check is None or check.asked_at is None):
        return []
    severity: Severity = "blocking" if is_required else "info"
    if check is not None and check.attempts >= WORRYING_ATTEMPTS:
        return [Finding("e_invoice_uncheckable", severity, {"count": check.attempts})]
    return [Finding("e_invoice_unchecked", severity)]


def _rate_findings(draft: Invoice) -> list[Finding]:
    """Whoever asks for no e-invoice still gets no document without the VAT in euros."""
    if draft.currency == EURO or not draft.vat_cents:
        return []
    soonest = month_of(draft.consumption_month).next.first_day
    if ExchangeRate.objects.filter(currency=draft.currency, day__gte=soonest - OLDEST_RATE).exists():
        return []
    return [Finding("e_invoice", "warning", structs.asdict(Failure("BR-53", "BT-111", problem="exchange_rate")))]


def must_be_mended_ids() -> QuerySet[DraftCheck, int]:
    """Drafts, for lists, that cannot be issued because the last check of their e-invoice failed."""
    rows = failed_checks().order_by().filter(fingerprint=F("invoice__fingerprint"))
    return rows.values_list("invoice_id", flat=True)


def failure_count(draft: Invoice) -> int:
    """What the last check of a draft found, of what it says now; its list selects check and profile with it."""
    check: DraftCheck | None = getattr(draft, "e_invoice_check", None)
    is_current = check is not None and check.fingerprint == draft.fingerprint
    return check.failure_count if check is not None and is_current else 0


def must_be_mended(draft: Invoice) -> bool:
    """Whether that keeps it from being issued: its customer must get a valid e-invoice."""
    profile: BillingProfile | None = getattr(draft.organization, "billing_profile", None)
    return profile is not None and profile.requires_e_invoice and failure_count(draft) > 0


def failed_checks() -> QuerySet[DraftCheck]:
    """The drafts whose last check failed and that are not issued because of it, by organization."""
    rows = DraftCheck.objects.filter(
        failure_count__gt=0,
        invoice__document_state=DocumentState.DRAFT.value,
        invoice__organization__billing_profile__requires_e_invoice=True,
    )
    return rows.select_related("invoice__organization").order_by("invoice__organization__external_id", "invoice_id")
