"""Whatever breaks a promise is found: every check is shown at least one broken row."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import F, Model
from pytest_django import DjangoDbBlocker

from billing.domain.chain import chained_hash
from billing.models import (
    AddOn,
    Allocation,
    ArchivedDocument,
    Charge,
    CloseOutcome,
    CouponUse,
    CreditEntry,
    CreditGrant,
    CreditStatement,
    Invoice,
    InvoiceLine,
    MonthClose,
    NumberSeries,
    OutgoingMail,
    Payment,
    Price,
    PriceTier,
    Refund,
    Resource,
    TaxSubtotal,
    UsageCorrection,
    UsageDetail,
    UsageMonth,
    UsageRecord,
    VendorCharge,
)
from billing.queries.archive import documents_storage
from billing.queries.sealed_content import sealed_contents
from billing.queries.verification import (
    PROMISES,
    Broken,
    amounts,
    archive,
    closes,
    corrections,
    documents,
    ledger,
    numbers,
    payments,
    prices,
    seals,
    statements,
    usage,
    vendors,
)
from organizations.models import Organization
from tests.builders.credits import book_entry, make_grant
from tests.builders.guards import guards_lifted
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization
from tests.builders.platform import platform_stored
from tests.builders.usage import make_price, make_resource

pytestmark = pytest.mark.django_db

NOWHERE = 10**9
SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)

type Finder = Callable[[], Iterator[Broken]]


@dataclass(frozen=True)
class Breakage:
    """What somebody did to the platform's data, and what is then said about what."""

    find: Finder
    do: Callable[[], object]
    subject: str
    sentence: str
    lifted: tuple[tuple[type[Model], str], ...] = ()


def october() -> Invoice:
    return Invoice.objects.get(organization__external_id="orga_atlas", consumption_month=OCTOBER, kind="invoice")


def change(model: type[Model], where: dict[str, Any], **values: Any) -> Callable[[], object]:
    """An UPDATE that no use case would do."""

    def do() -> int:
        changed = model._base_manager.filter(**where).update(**values)
        assert changed, "The platform has no such row."
        return changed

    return do


OF_OCTOBER = {
    "invoice__organization__external_id": "orga_atlas",
    "invoice__consumption_month": OCTOBER,
    "invoice__kind": "invoice",
}
OCTOBER_ITSELF = {key.removeprefix("invoice__"): value for key, value in OF_OCTOBER.items()}
SOLD_IN_SEPTEMBER = {"sold_by__consumption_month": SEPTEMBER}
TRIAL = {"coupon_use__coupon__name": "WELCOME"}


def bill_charge_again() -> None:
    line = InvoiceLine.objects.get(kind="one_shot")
    line.pk, line.invoice = None, Invoice.objects.get(consumption_month=SEPTEMBER)
    line.save()


def bill_add_on_again() -> None:
    line = InvoiceLine.objects.get(kind="add_on")
    line.pk, line.period_start = None, date(2026, 11, 30)
    line.save()


def grant_again() -> None:
    grant = CreditGrant.objects.get(**SOLD_IN_SEPTEMBER)
    book_entry(grant=grant, kind="grant", amount_cents=0 + grant.amount_cents)


def overlap_price() -> None:
    meter = Price.objects.get().meter
    make_price(meter=meter, valid_from=datetime(2026, 11, 1, tzinfo=UTC))


def give_resource_away() -> None:
    Resource.objects.filter(organization__external_id="orga_atlas").update(
        organization=Organization.objects.get(external_id="orga_quiet")
    )


def reuse_number() -> None:
    october_number = october().number
    Invoice.objects.filter(consumption_month=SEPTEMBER).update(number=october_number)


def bill_usage_again() -> None:
    detail = UsageDetail.objects.get(month=SEPTEMBER)
    detail.pk, detail.invoice = None, october()
    detail.save()


def measure_after_the_last_invoice() -> None:
    Organization.objects.filter(external_id="orga_atlas").update(closed_on=date(2026, 9, 30))
    UsageMonth.objects.filter(organization__external_id="orga_atlas", month=SEPTEMBER).update(unbilled=True)


def settle_what_never_was() -> None:
    quiet = Organization.objects.get(external_id="orga_quiet")
    resource, price = make_resource(organization=quiet), Price.objects.get()
    line = ["2026-10-01", quiet.pk, resource.pk, price.meter.pk, "par", price.pk, 7_000_000, 0]
    CloseOutcome.objects.filter(kind="nil").update(settled_usage=[line])


def end_the_last_tier() -> None:
    PriceTier.objects.update(up_to_micro=1)


def replace_hash() -> None:
    """The forger's own hash fits the changed content, but nothing that follows."""
    forged = Invoice.objects.get(consumption_month=SEPTEMBER)
    forged.note = "Paid in cash."
    forged.save()
    Invoice.objects.filter(pk=forged.pk).update(content_hash=chained_hash("", sealed_contents([forged.pk])[forged.pk]))


def change_file() -> None:
    name = ArchivedDocument.objects.get(invoice=october()).xml_name
    with documents_storage().open(name, "wb") as file:
        file.write(b"<another/>")


BREAKAGES = {
    # --- documents
    "total": Breakage(
        documents.totals,
        change(Invoice, OCTOBER_ITSELF, total_cents=F("total_cents") + 1),
        "F20261101-000002",
        "Its total is",
        ((Invoice, "invoice_total_is_sum"),),
    ),
    "subtotal": Breakage(
        documents.subtotals,
        change(InvoiceLine, {**OF_OCTOBER, "kind": "add_on"}, net_cents=4_901),
        "F20261101-000002 (orga_atlas, 2026-10)",
        "its lines sum to",
    ),
    "lost line": Breakage(
        documents.subtotals, lambda: InvoiceLine.objects.filter(kind="one_shot").delete(), "F20261101-000002", "sum to"
    ),
    "line amount": Breakage(
        documents.line_amounts,
        change(InvoiceLine, {"kind": "one_shot"}, quantity_micro=1_100_000),
        "F20261101-000002",
        "Line 4 is 800.00, but 1.1 x 800 make 880.00",
    ),
    "period before its start": Breakage(
        documents.line_periods,
        change(InvoiceLine, {"kind": "one_shot"}, period_end=date(2026, 10, 20)),
        "F20261101-000002",
        "Line 4 (one_shot) runs from 2026-10-20 until 2026-10-20.",
    ),
    "provision of the wrong month": Breakage(
        documents.line_periods,
        change(
            InvoiceLine,
            {**OF_OCTOBER, "kind": "provision"},
            period_start=date(2026, 12, 1),
            period_end=date(2027, 1, 1),
        ),
        "F20261101-000002",
        "(provision)",
    ),
    "regularization of the month to come": Breakage(
        documents.line_periods,
        change(
            InvoiceLine,
            {**OF_OCTOBER, "kind": "regularization"},
            period_start=date(2026, 11, 1),
            period_end=date(2026, 12, 1),
        ),
        "F20261101-000002",
        "(regularization)",
    ),
    "add-on line over two months": Breakage(
        documents.line_periods,
        change(InvoiceLine, {"kind": "add_on"}, period_end=date(2026, 12, 2)),
        "F20261101-000002",
        "(add_on)",
    ),
    "tax base": Breakage(
        documents.tax_bases,
        change(TaxSubtotal, OF_OCTOBER, base_cents=F("base_cents") - 1),
        "F20261101-000002",
        "The base of S 20.00 % is",
    ),
    "tax group without lines": Breakage(
        documents.tax_bases,
        lambda: TaxSubtotal.objects.create(invoice=october(), category="O", rate_bp=0, base_cents=5, vat_cents=0),
        "F20261101-000002",
        "its lines sum to 0.00",
    ),
    "line without tax group": Breakage(
        documents.tax_groups,
        change(InvoiceLine, {"kind": "one_shot"}, vat_rate_bp=850),
        "F20261101-000002",
        "Line 4 has no tax subtotal of S 8.50 %.",
    ),
    "no tax subtotal": Breakage(
        documents.tax_groups,
        lambda: TaxSubtotal.objects.filter(invoice=october()).delete(),
        "F20261101-000002",
        "It has no tax subtotal.",
    ),
    "VAT of a group": Breakage(
        documents.tax_amounts,
        change(TaxSubtotal, OF_OCTOBER, vat_cents=F("vat_cents") + 1),
        "F20261101-000002",
        "The VAT of S 20.00 % is",
    ),
    "reverse charge with a rate": Breakage(
        documents.tax_amounts,
        change(TaxSubtotal, {"category": "AE"}, rate_bp=2000),
        "orga_berlin",
        "Category AE has a rate of 20.00 %.",
    ),
    "VAT of a document": Breakage(
        documents.vat_sums,
        change(Invoice, OCTOBER_ITSELF, vat_cents=F("vat_cents") + 1, total_cents=F("total_cents") + 1),
        "F20261101-000002",
        "Its VAT is",
    ),
    "copy of a party": Breakage(
        documents.issued_content, change(Invoice, OCTOBER_ITSELF, buyer=None), "F20261101-000002", "the copy of a party"
    ),
    "due before it is issued": Breakage(
        documents.issued_content,
        change(Invoice, OCTOBER_ITSELF, due_date=date(2026, 10, 31)),
        "F20261101-000002",
        "due 2026-10-31",
    ),
    "currency of a document": Breakage(
        documents.currencies, change(Invoice, OCTOBER_ITSELF, currency="USD"), "F20261101-000002", "It is in USD"
    ),
    "adjustment that nobody made": Breakage(
        documents.adjustments,
        change(InvoiceLine, {"kind": "one_shot"}, kind="adjustment"),
        "F20261101-000002",
        "Line 4 (adjustment) names adjustment",
    ),
    "discount line that adds": Breakage(
        documents.discounts,
        change(InvoiceLine, {"kind": "one_shot"}, kind="discount"),
        "F20261101-000002",
        "Line 4 (discount) is 800.00.",
    ),
    "negative line that is no discount": Breakage(
        documents.discounts,
        change(InvoiceLine, {"kind": "one_shot"}, net_cents=-1),
        "F20261101-000002",
        "Line 4 (one_shot) is -0.01.",
    ),
    "discounted provision": Breakage(
        documents.discounts,
        change(Invoice, OCTOBER_ITSELF, subtotal_cents=1),
        "F20261101-000002",
        "Its subtotal is 0.01, its provision alone",
        ((Invoice, "invoice_total_is_sum"),),
    ),
    "organization of a line": Breakage(
        documents.line_references,
        change(InvoiceLine, {"kind": "one_shot"}, organization_id=NOWHERE),
        "F20261101-000002",
        f"names organization {NOWHERE}",
    ),
    "add-on of a line": Breakage(
        documents.line_references,
        change(InvoiceLine, {"kind": "add_on"}, source_id=NOWHERE),
        "F20261101-000002",
        f"source {NOWHERE}",
    ),
    "charge of a line": Breakage(
        documents.line_references,
        change(InvoiceLine, {"kind": "one_shot"}, source_id=NOWHERE),
        "F20261101-000002",
        f"source {NOWHERE}",
    ),
    "charge billed twice": Breakage(
        documents.charges, bill_charge_again, "F20261001-000001", "not marked as billed by it"
    ),
    "charge forgotten": Breakage(
        documents.charges, change(Charge, {}, invoice=None), "F20261101-000002", "not marked as billed by it"
    ),
    "charge on a draft": Breakage(
        documents.charges,
        lambda: Charge.objects.update(invoice=Invoice.objects.get(document_state="draft")),
        "charge MIG-7",
        "an invoice that is not issued",
    ),
    "add-on billed twice": Breakage(documents.add_ons, bill_add_on_again, "add-on", "billed twice from 2026-11-30 on"),
    "add-on billed again next month": Breakage(
        documents.add_ons,
        change(AddOn, {}, billed_until=date(2026, 11, 1)),
        "add-on addon_1",
        "It is billed until 2026-12-01, but remembers 2026-11-01.",
    ),
    "credit note to nobody": Breakage(
        corrections.credit_notes,
        change(Invoice, {"kind": "credit_note"}, refers_to=None),
        "A20261110-000001",
        "refers to None",
    ),
    # --- statements
    "no statement": Breakage(
        statements.existence,
        lambda: CreditStatement.objects.filter(invoice=october()).delete(),
        "F20261101-000002",
        "It has no credit statement.",
    ),
    "sign": Breakage(
        statements.signs,
        change(CreditStatement, OF_OCTOBER, estimate_cents=1),
        "F20261101-000002",
        "wrong sign",
        ((CreditStatement, "statement_signs"),),
    ),
    "overdraft": Breakage(
        statements.overdrafts,
        change(CreditStatement, OF_OCTOBER, prepaid_balance_cents=9_999),
        "F20261101-000002",
        "It leaves 0.00 free and -0.01 prepaid credits.",
        (
            (CreditStatement, "statement_never_overdrawn"),
            (CreditStatement, "statement_credits_before_regularization"),
        ),
    ),
    "regularization": Breakage(
        statements.regularizations,
        change(CreditStatement, OF_OCTOBER, fees_cents=F("fees_cents") + 1),
        "F20261101-000002",
        "Its regularization is 15.00, but no credit covered 15.01.",
        ((CreditStatement, "statement_regularization"),),
    ),
    "regularization while there are credits": Breakage(
        statements.regularizations,
        change(CreditStatement, OF_OCTOBER, prepaid_balance_cents=10_001),
        "F20261101-000002",
        "It bills 15.00 while 0.01 of credits were usable.",
        ((CreditStatement, "statement_credits_before_regularization"),),
    ),
    "subtotal of the statement": Breakage(
        statements.subtotals,
        change(CreditStatement, OF_OCTOBER, direct_cents=F("direct_cents") + 1),
        "F20261101-000002",
        "Its statement's subtotal is",
        ((CreditStatement, "statement_subtotal"),),
    ),
    "statement and invoice": Breakage(
        statements.subtotals,
        change(
            CreditStatement,
            OF_OCTOBER,
            direct_cents=F("direct_cents") + 1,
            subtotal_cents=F("subtotal_cents") + 1,
        ),
        "F20261101-000002",
        "and the invoice says",
    ),
    "refill without its line": Breakage(
        statements.lines,
        change(InvoiceLine, {**OF_OCTOBER, "kind": "provision"}, kind="adjustment"),
        "F20261101-000002",
        "Its refill h is",
    ),
    "regularization without its line": Breakage(
        statements.lines,
        change(InvoiceLine, {**OF_OCTOBER, "kind": "regularization"}, kind="adjustment"),
        "F20261101-000002",
        "Its regularization is 15.00, but its lines sum to 0.00.",
    ),
    "usage detail": Breakage(
        statements.fees,
        change(UsageDetail, {**OF_OCTOBER, "meter__isnull": False}, amount_cents=F("amount_cents") + 1),
        "F20261101-000002",
        "Its fees is 120.00, but its usage details sum to 120.01.",
    ),
    "use": Breakage(
        statements.uses,
        change(CreditEntry, {**OF_OCTOBER, "kind": "use", "grant__type": "free"}, amount_cents=-499),
        "F20261101-000002",
        "Its c is -5.00, but the ledger has -4.99.",
    ),
    "prepaid use of another invoice": Breakage(
        statements.uses,
        lambda: CreditEntry.objects.filter(kind="use", grant__type="prepaid").update(
            invoice=Invoice.objects.get(consumption_month=SEPTEMBER)
        ),
        "F20261101-000002",
        "Its e is -100.00, but the ledger has 0.00.",
    ),
    "expiry": Breakage(
        statements.expiries,
        change(CreditEntry, {"kind": "expiry", "grant__organization__external_id": "orga_berlin"}, amount_cents=-1),
        "orga_berlin",
        "Its d is -5.00, but the ledger has -0.01.",
    ),
    "previous free balance": Breakage(
        statements.balances,
        lambda: CreditStatement.objects.filter(invoice__organization__external_id="orga_berlin").update(
            free_balance_cents=2_001
        ),
        "orga_berlin",
        "Its a is 20.01, but the ledger held 20.00.",
    ),
    "previous prepaid balance": Breakage(
        statements.balances,
        lambda: make_grant_before(amount_cents=77),
        "F20261101-000002",
        "Its b is 100.00, but the ledger held 100.77.",
    ),
    # --- numbers
    "gap": Breakage(
        numbers.sequences,
        change(Invoice, OCTOBER_ITSELF, counter=20),
        "invoice F20261101-000002",
        "Its counter is 20, the one before is 3.",
    ),
    "first number": Breakage(
        numbers.sequences,
        change(Invoice, {"kind": "credit_note"}, counter=7),
        "credit_note A20261110-000001",
        "Its counter is 7, the one before is 0.",
    ),
    "date order": Breakage(
        numbers.sequences,
        change(Invoice, OCTOBER_ITSELF, issue_date=date(2026, 9, 30)),
        "invoice F20261101-000002",
        "It is dated 2026-09-30, the number before 2026-10-01.",
    ),
    "number used twice": Breakage(
        numbers.uniqueness,
        reuse_number,
        "number F20261101-000002",
        "more than one",
        ((Invoice, "invoice_number_once"),),
    ),
    "number on a draft": Breakage(
        numbers.uniqueness,
        change(Invoice, OCTOBER_ITSELF, document_state="draft"),
        "number F20261101-000002",
        "one that is draft",
        ((Invoice, "invoice_number_when_issued"),),
    ),
    "counter": Breakage(
        numbers.counters,
        change(NumberSeries, {"kind": "invoice"}, last_counter=4),
        "series invoice",
        "It remembers 4 of 2026-11-01, the last taken is 3 of 2026-11-01.",
    ),
    "no series": Breakage(
        numbers.counters,
        lambda: NumberSeries.objects.filter(kind="invoice").delete(),
        "series invoice",
        "does not exist",
    ),
    # --- seals
    "changed document": Breakage(
        seals.seals,
        change(Invoice, OCTOBER_ITSELF, note="Paid in cash."),
        "F20261101-000002 (orga_atlas, 2026-10)",
        "It was changed after it was issued or is not chained to F20261001-000001 (orga_atlas, 2026-09)",
    ),
    "changed first document": Breakage(
        seals.seals,
        change(Invoice, {"consumption_month": SEPTEMBER}, due_date=date(2026, 12, 31)),
        "F20261001-000001",
        "It was changed after it was issued: its hash does not fit.",
    ),
    "changed usage of a document": Breakage(
        seals.seals,
        change(UsageDetail, {**OF_OCTOBER, "meter__isnull": False}, zone="mtl"),
        "F20261101-000002",
        "It was changed",
    ),
    "line of a document moved": Breakage(
        seals.seals,
        change(InvoiceLine, {"kind": "one_shot"}, position=9),
        "F20261101-000002",
        "It was changed",
    ),
    "new hash for a changed document": Breakage(
        seals.seals, replace_hash, "F20261101-000002", "is not chained to F20261001-000001"
    ),
    "no hash": Breakage(
        seals.seals,
        change(Invoice, OCTOBER_ITSELF, content_hash=""),
        "F20261101-000002",
        "It has no hash, but F20261001-000001 (orga_atlas, 2026-09) before it has.",
    ),
    "no hash on the first": Breakage(
        seals.seals,
        change(Invoice, {"consumption_month": SEPTEMBER}, content_hash=""),
        "F20261101-000002",
        "its hash does not fit",
    ),
    "no hash anywhere": Breakage(
        seals.seals,
        change(Invoice, {"document_state": "issued"}, content_hash=""),
        "series invoice",
        "It ends with another hash than that of nothing.",
    ),
    "end of the chain": Breakage(
        seals.seals,
        change(NumberSeries, {"kind": "credit_note"}, last_hash="0" * 64),
        "series credit_note",
        "It ends with another hash than that of A20261110-000001 (orga_atlas, 2026-10).",
    ),
    "guards lifted": Breakage(seals.guards, lambda: None, "trigger frozen_billing_event", "run `manage.py migrate`"),
    # --- archive
    "issued outside the archive": Breakage(
        archive.places,
        lambda: ArchivedDocument.objects.filter(invoice=october()).delete(),
        "F20261101-000002 (orga_atlas, 2026-10)",
        "It is not in the archive: it will never be rendered.",
    ),
    "draft in the archive": Breakage(
        archive.places,
        lambda: ArchivedDocument.objects.filter(state="waiting").update(
            invoice=Invoice.objects.get(organization__external_id="orga_draft")
        ),
        "draft (orga_draft, 2026-10)",
        "It is in the archive, but not issued.",
    ),
    "lost file": Breakage(
        archive.files,
        lambda: documents_storage().delete(ArchivedDocument.objects.get(invoice=october()).pdf_name),
        "F20261101-000002",
        "is not there",
    ),
    "changed file": Breakage(archive.files, change_file, "F20261101-000002", "the SHA-256 does not fit"),
    "mail of another organization": Breakage(
        archive.mails,
        lambda: OutgoingMail.objects.update(organization=Organization.objects.get(external_id="orga_quiet")),
        "F20261101-000002",
        "It is for billing@example.org of another organization.",
    ),
    "mail with a draft": Breakage(
        archive.mails,
        lambda: OutgoingMail.objects.filter(invoice__number="F20261101-000002").update(
            invoice=Invoice.objects.get(organization__external_id="orga_draft")
        ),
        "draft (orga_draft, 2026-10)",
        "but not issued",
    ),
    # --- ledger
    "remainder": Breakage(
        ledger.remainders,
        change(CreditGrant, {"organization__external_id": "orga_berlin", "type": "free"}, remaining_cents=1),
        "grant",
        "What remains is 0.01, but its entries sum to 0.00.",
    ),
    "overdrawn grant": Breakage(
        ledger.remainders,
        change(CreditGrant, TRIAL, remaining_cents=-1),
        "orga_atlas",
        "What remains is -0.01",
        ((CreditGrant, "credit_grant_not_overdrawn"),),
    ),
    "amount of a grant": Breakage(
        ledger.grant_sums,
        change(CreditGrant, TRIAL, amount_cents=600),
        "orga_atlas",
        "of 6.00, 5.00 are booked as granted",
    ),
    "pending grant with entries": Breakage(
        ledger.grant_sums,
        change(CreditGrant, SOLD_IN_SEPTEMBER, state="pending", pending_cents=1),
        "orga_atlas",
        "It is pending",
    ),
    "active grant without entries": Breakage(
        ledger.grant_sums,
        lambda: CreditGrant.objects.filter(sold_by=october()).update(state="active", pending_cents=0),
        "orga_atlas",
        "0.00 are booked as granted",
    ),
    "prepaid credits expire": Breakage(
        ledger.entries,
        change(CreditEntry, {"kind": "use", "grant__type": "prepaid"}, kind="expiry"),
        "grant",
        "(expiry,",
    ),
    "use of no invoice": Breakage(
        ledger.entries, change(CreditEntry, {"kind": "use", "grant__type": "free"}, invoice=None), "grant", "(use,"
    ),
    "currency of a grant": Breakage(
        ledger.currencies, change(CreditGrant, TRIAL, currency="USD"), "orga_atlas", "It is in USD"
    ),
    "refill without a grant": Breakage(
        ledger.refills,
        lambda: CreditGrant.objects.filter(sold_by=october()).delete(),
        "F20261101-000002",
        "It sold 120.00 of credits",
    ),
    "amount of a sold grant": Breakage(
        ledger.sold,
        lambda: CreditGrant.objects.filter(sold_by=october()).update(amount_cents=12_001),
        "orga_atlas",
        "120.01 is not what invoice F20261101-000002 sold",
    ),
    "sold grant of somebody else": Breakage(
        ledger.sold,
        lambda: CreditGrant.objects.filter(sold_by=october()).update(
            organization=Organization.objects.get(external_id="orga_quiet")
        ),
        "orga_quiet",
        "not what invoice F20261101-000002 sold",
    ),
    "sold grant that waits": Breakage(
        ledger.sold, change(CreditGrant, SOLD_IN_SEPTEMBER, starts_on=date(2026, 12, 1)), "orga_atlas", "is not what"
    ),
    "usable before payment": Breakage(
        ledger.activations,
        lambda: CreditGrant.objects.filter(sold_by=october()).update(
            state="active", pending_cents=0, remaining_cents=1
        ),
        "orga_atlas",
        "It is active while invoice F20261101-000002 is pending.",
    ),
    "not usable after payment": Breakage(
        ledger.activations,
        change(CreditGrant, SOLD_IN_SEPTEMBER, state="pending", pending_cents=1),
        "orga_atlas",
        "It is pending while invoice F20261001-000001 is paid.",
    ),
    "coupon": Breakage(
        ledger.coupons,
        lambda: CouponUse.objects.update(organization=Organization.objects.get(external_id="orga_quiet")),
        "coupon WELCOME (orga_quiet)",
        "not a free one of this organization",
    ),
    "suspended and still granted": Breakage(
        ledger.grant_sums,
        lambda: CreditGrant.objects.filter(sold_by=october()).update(pending_cents=1),
        "orga_atlas",
        "0.00 are booked as granted, 0.00 as gone, 0.00 remain and 0.01 are pending.",
    ),
    "granted twice": Breakage(ledger.grant_sums, grant_again, "orga_atlas", "200.00 are booked as granted"),
    "returned more than used": Breakage(
        ledger.grant_sums,
        change(CreditEntry, {"kind": "use", "grant__type": "free"}, kind="return", amount_cents=1),
        "orga_atlas",
        "as gone",
    ),
    "use that gives": Breakage(
        ledger.entries,
        change(CreditEntry, {"kind": "use", "grant__type": "free"}, amount_cents=5),
        "grant",
        "(use, 0.05)",
    ),
    "suspension of a gift": Breakage(
        ledger.entries,
        change(CreditEntry, {"kind": "use", "grant__type": "free"}, kind="suspension"),
        "grant",
        "(suspension,",
    ),
    "pending although written off": Breakage(
        ledger.activations,
        change(Invoice, OCTOBER_ITSELF, payment_state="wont_pay"),
        "orga_atlas",
        "It is pending while invoice F20261101-000002 is wont_pay.",
    ),
    "given up and still expected": Breakage(
        ledger.activations,
        lambda: CreditGrant.objects.filter(sold_by=october()).update(state="cancelled"),
        "orga_atlas",
        "It is cancelled with 120.00 pending while invoice F20261101-000002 is pending.",
    ),
    "pending although cancelled": Breakage(
        ledger.activations,
        change(Invoice, OCTOBER_ITSELF, payment_state="canceled"),
        "orga_atlas",
        "It is pending while invoice F20261101-000002 is canceled.",
    ),
    # --- payments
    "allocated": Breakage(
        payments.allocated,
        change(Payment, {"reference": "PAY-PART"}, allocated_cents=501),
        "payment PAY-PART",
        "Its allocated part is 5.01, but its allocations sum to 5.00.",
    ),
    "undone allocation that counts": Breakage(
        payments.allocated,
        change(Allocation, {"payment__reference": "PAY-PART"}, undone_at=datetime(2026, 11, 8, tzinfo=UTC)),
        "payment PAY-PART",
        "Its allocated part is 5.00, but its allocations sum to 0.00.",
    ),
    "refunded": Breakage(
        payments.allocated,
        change(Payment, {"reference": "PAY-PART"}, refunded_cents=151),
        "payment PAY-PART",
        "What went back is 1.51, but its refunds sum to 1.50.",
    ),
    "more than the payment": Breakage(
        payments.spent,
        change(Payment, {"reference": "PAY-PART"}, amount_cents=600),
        "payment PAY-PART",
        "Of 6.00, 5.00 are allocated and 1.50 went back.",
        ((Payment, "payment_not_over_allocated"),),
    ),
    "charged back in part": Breakage(
        payments.spent,
        change(Refund, {"reference": "BACK-PART"}, kind="chargeback"),
        "payment PAY-PART",
        "It was charged back, but only 1.50 of 7.00 are gone.",
    ),
    "refund without a reason": Breakage(
        payments.reasons,
        change(Refund, {"reference": "BACK-PART"}, reason=""),
        "refund BACK-PART",
        "why 1.50 went back",
    ),
    "credited": Breakage(
        payments.credited,
        change(Invoice, OCTOBER_ITSELF, credited_cents=1_199),
        "F20261101-000002",
        "What is credited is 11.99, but its credit notes sum to 12.00.",
    ),
    "credit note that is not settled": Breakage(
        payments.settled_credit_notes,
        change(Invoice, {"kind": "credit_note"}, payment_state="pending", credited_cents=0),
        "A20261110-000001",
        "It is pending with 0.00 paid and 0.00 credited of 12.00.",
    ),
    "credit of nothing that was billed": Breakage(
        corrections.credited_lines,
        change(InvoiceLine, {"invoice__kind": "credit_note"}, credited_line_id=NOWHERE),
        "A20261110-000001",
        "takes back no such line of its invoice",
    ),
    "line credited beyond what it billed": Breakage(
        corrections.line_limits,
        change(InvoiceLine, {"invoice__kind": "credit_note"}, net_cents=10_000_000),
        "F20261101-000002",
        "100000.00 are credited",
    ),
    "replaced, but not credited": Breakage(
        corrections.replacements,
        change(Invoice, OCTOBER_ITSELF, released=True),
        "F20261101-000002",
        "It is replaced, but not cancelled in full.",
    ),
    "replaced, but it still uses credits": Breakage(
        corrections.replacements,
        change(Invoice, OCTOBER_ITSELF, released=True),
        "F20261101-000002",
        "It is replaced, but still uses credits",
    ),
    "replaced, but it still holds a charge": Breakage(
        corrections.replacements,
        change(Invoice, OCTOBER_ITSELF, released=True),
        "F20261101-000002",
        "It is replaced, but still holds charges.",
    ),
    "credits given back for nothing": Breakage(
        corrections.given_back,
        lambda: book_entry(grant=CreditGrant.objects.get(**TRIAL), kind="return", amount_cents=5, invoice=october()),
        "orga_atlas, 2026-10",
        "What credits got back is 0.05, but given back were 0.00.",
    ),
    "given back by no credit note": Breakage(
        corrections.given_back,
        lambda: UsageCorrection.objects.create(
            organization=october().organization, month=OCTOBER, credit_note=october(), created_at=october().created_at
        ),
        "orga_atlas, 2026-10",
        "names no credit note of its payer",
    ),
    "VAT of a credit note": Breakage(
        corrections.credited_vat,
        change(TaxSubtotal, {"invoice__kind": "credit_note"}, vat_cents=201),
        "A20261110-000001",
        "It takes back 10.00 and 2.01 of VAT",
    ),
    "paid": Breakage(
        payments.paid,
        change(Invoice, OCTOBER_ITSELF, paid_cents=501),
        "F20261101-000002",
        "What is paid is 5.01, but its allocations sum to 5.00.",
    ),
    "paid and still pending": Breakage(
        payments.settled,
        change(Invoice, {"payment_state": "paid"}, payment_state="pending"),
        "F20261001-000001",
        "It is pending",
    ),
    "called paid": Breakage(
        payments.settled,
        change(Invoice, OCTOBER_ITSELF, payment_state="paid"),
        "F20261101-000002",
        "It is paid with 5.00 of",
        ((Invoice, "invoice_paid_in_full"),),
    ),
    "payment of somebody else": Breakage(
        payments.allocations,
        lambda: Payment.objects.filter(reference="PAY-PART").update(
            organization=Organization.objects.get(external_id="orga_quiet")
        ),
        "payment PAY-PART",
        "It cannot settle 5.00 of invoice F20261101-000002.",
    ),
    "payment of a credit note": Breakage(
        payments.allocations,
        lambda: Allocation.objects.filter(payment__reference="PAY-PART").update(
            invoice=Invoice.objects.get(kind="credit_note")
        ),
        "payment PAY-PART",
        "of invoice A20261110-000001",
    ),
    # --- closes
    "outcome of a discarded invoice": Breakage(
        closes.content,
        change(Invoice, {"document_state": "draft"}, document_state="discarded"),
        "outcome of orga_draft, 2026-10",
        "Its invoice is discarded",
    ),
    "outcome of another month": Breakage(
        closes.content,
        lambda: CloseOutcome.objects.filter(kind="nil").update(close=MonthClose.objects.get(month=SEPTEMBER)),
        "outcome of orga_quiet, 2026-10",
        "Its close is of another month.",
    ),
    "outcome without a reason": Breakage(
        closes.content,
        change(CloseOutcome, {"kind": "blocked"}, reason_code=""),
        "outcome of orga_blocked, 2026-10",
        "does not say why",
        ((CloseOutcome, "outcome_has_reason"),),
    ),
    "issued without a close": Breakage(
        closes.invoices,
        lambda: CloseOutcome.objects.filter(invoice=october(), kind="invoice").delete(),
        "F20261101-000002",
        "the outcome of no close",
    ),
    "payer that does not exist": Breakage(
        closes.payers, change(CloseOutcome, {"kind": "on_parent"}, payer_id=NOWHERE), "orga_atlas_lab", "does not exist"
    ),
    "sub-organization that pays": Breakage(
        closes.payers,
        change(CloseOutcome, {"kind": "on_parent"}, payer=F("organization")),
        "orga_atlas_lab",
        "Its payer does not fit",
    ),
    "payer without an outcome": Breakage(
        closes.payers,
        lambda: CloseOutcome.objects.filter(kind="on_parent").update(payer=make_organization().pk),
        "orga_atlas_lab",
        "Its payer has no outcome that month.",
    ),
    "months out of order": Breakage(
        closes.order,
        change(
            CloseOutcome,
            {"month": SEPTEMBER},
            kind="blocked",
            invoice=None,
            reason_code="no_price",
        ),
        "F20261101-000002",
        "An earlier month of its organization is not settled.",
    ),
    "sub-organization of a sub-organization": Breakage(
        closes.parents,
        lambda: make_organization(
            external_id="orga_deep", parent=Organization.objects.get(external_id="orga_atlas_lab")
        ),
        "orga_deep",
        "It cannot be billed on the invoice of orga_atlas_lab.",
    ),
    "sub-organization in another currency": Breakage(
        closes.parents,
        change(Organization, {"external_id": "orga_atlas_lab"}, currency="USD"),
        "orga_atlas_lab",
        "orga_atlas",
    ),
    # --- usage
    "organization of usage": Breakage(
        usage.references,
        change(UsageRecord, {"organization__external_id": "orga_atlas"}, organization_id=NOWHERE),
        "usage scaler/",
        "does not exist",
    ),
    "meter of usage": Breakage(
        usage.references,
        change(UsageRecord, {"organization__external_id": "orga_atlas"}, meter_id=NOWHERE),
        "usage scaler/",
        "does not exist",
    ),
    "vendor charge that is billed at another cost": Breakage(
        vendors.list_costs,
        change(VendorCharge, {"vendor": "AWS"}, list_cost="0.40000001"),
        "vendor charge focus:AWS/",
        "Its list cost is 0.40000001, but 0.4 is billed.",
    ),
    "vendor charge that is not billed": Breakage(
        vendors.list_costs,
        lambda: UsageRecord.objects.filter(source="focus:AWS").delete(),
        "vendor charge focus:AWS/",
        "Its list cost is 0.40000000000, but 0 is billed.",
    ),
    "resource of somebody else": Breakage(usage.owners, give_resource_away, "usage scaler/", "another organization"),
    "usage before its month": Breakage(
        usage.spans,
        change(UsageRecord, {"month": SEPTEMBER}, started_at=datetime(2026, 8, 31, 21, 59, tzinfo=UTC)),
        "2026-09",
        "does not lie within its month",
    ),
    "usage beyond its month": Breakage(
        usage.spans,
        change(UsageRecord, {"month": SEPTEMBER}, ended_at=datetime(2026, 9, 30, 22, 0, 1, tzinfo=UTC)),
        "2026-09",
        "does not lie within its month",
    ),
    "negative usage": Breakage(
        usage.spans,
        change(UsageRecord, {"month": SEPTEMBER}, quantity_micro=-1),
        "2026-09",
        "negative",
        ((UsageRecord, "usage_not_negative"),),
    ),
    "forgotten month": Breakage(
        usage.months, lambda: UsageMonth.objects.filter(month=SEPTEMBER).delete(), "2026-09", "never be billed"
    ),
    "usage that no close will bill": Breakage(
        usage.billable_months, measure_after_the_last_invoice, "orga_atlas, 2026-09", "its account is closed"
    ),
    "usage that was not billed": Breakage(
        usage.settled_quantities,
        change(UsageRecord, {"month": SEPTEMBER}, quantity_micro=F("quantity_micro") + 1),
        "orga_atlas, 2026-09",
        "0.000001 of apps.S are measured but not billed",
    ),
    "usage billed twice": Breakage(
        usage.settled_quantities, bill_usage_again, "orga_atlas, 2026-09", "10000 of apps.S are billed but not measured"
    ),
    "free usage that was never measured": Breakage(
        usage.settled_quantities,
        settle_what_never_was,
        "orga_quiet, 2026-10",
        "7 of apps.S are billed but not measured",
    ),
    "price that changed afterwards": Breakage(
        amounts.amounts,
        change(PriceTier, {}, unit_price="0.02"),
        "orga_atlas, 2026-09",
        "10000 of apps.S were billed at 100.00, but cost 200.00",
    ),
    "amount of a detail": Breakage(
        amounts.amounts,
        change(UsageDetail, {**OF_OCTOBER, "meter__isnull": False}, amount_cents=F("amount_cents") - 1),
        "orga_atlas, 2026-10",
        "13000 of apps.S were billed at 129.99, but cost 130.00",
    ),
    "detail without a price": Breakage(
        usage.detail_content,
        change(UsageDetail, {**OF_OCTOBER, "meter__isnull": False}, price=None),
        "F20261101-000002",
        "is incomplete",
    ),
    "discount that adds": Breakage(
        usage.detail_content,
        change(UsageDetail, {**OF_OCTOBER, "meter__isnull": True}, amount_cents=1),
        "F20261101-000002",
        "0.01) is incomplete",
    ),
    "detail of a later month": Breakage(
        usage.detail_content,
        change(UsageDetail, {**OF_OCTOBER, "meter__isnull": False}, month=date(2026, 11, 1)),
        "F20261101-000002",
        "(2026-11,",
    ),
    "price of a detail": Breakage(
        usage.detail_references,
        change(UsageDetail, {**OF_OCTOBER, "meter__isnull": False}, price_id=NOWHERE),
        "F20261101-000002",
        "does not exist",
    ),
    # --- prices
    "overlapping prices": Breakage(
        prices.overlaps, overlap_price, "price of apps.S (any zone, EUR, catalogue)", "before"
    ),
    "last tier with an end": Breakage(prices.tiers, end_the_last_tier, "price", "last tier"),
    "no tier": Breakage(prices.tiers, lambda: PriceTier.objects.all().delete(), "price", "tier"),
}


def make_grant_before(*, amount_cents: int) -> None:
    """A grant that the October statement does not know although its entry is older."""
    grant = make_grant(organization=Organization.objects.get(external_id="orga_atlas"), amount_cents=amount_cents)
    entry = grant.entries.get()
    CreditEntry.objects.filter(pk=entry.pk).update(id=-1)


@contextmanager
def lifted(constraints: tuple[tuple[type[Model], str], ...]) -> Iterator[None]:
    """Let data in that a constraint or a guard would refuse, as a restored or hand-edited database may hold it."""
    with guards_lifted(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        for model, name in constraints:
            table = model._meta.db_table
            if name.endswith("_once"):
                cursor.execute(f"DROP INDEX {name}")
            elif connection.vendor == "postgresql":
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


@contextmanager
def files_kept() -> Iterator[None]:
    """No transaction brings back a file that is changed or deleted."""
    names = ArchivedDocument.objects.values_list("pdf_name", "xml_name")
    contents = {name: documents_storage().open(name).read() for pair in names for name in pair if name}
    yield
    for name, content in contents.items():
        documents_storage().delete(name)
        documents_storage().save(name, ContentFile(content))


@pytest.fixture(scope="module")
def platform(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What a test breaks is whole again for the next one."""
    with platform_stored(django_db_blocker):
        yield


@pytest.mark.usefixtures("platform")
def test_data_in_order_breaks_no_promise() -> None:
    assert [(promise.sentence, list(promise.find())) for promise in PROMISES if list(promise.find())] == []
    assert [promise.sentence for promise in PROMISES if not promise.population().exists()] == []


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("breakage", BREAKAGES.values(), ids=BREAKAGES)
def test_names_what_is_broken(breakage: Breakage) -> None:
    with lifted(breakage.lifted), files_kept():
        breakage.do()
        found = list(breakage.find())

    assert any(breakage.subject in subject and breakage.sentence in sentence for subject, sentence in found), found


def test_every_promise_is_shown_something_broken() -> None:
    assert {promise.find for promise in PROMISES} == {breakage.find for breakage in BREAKAGES.values()}


@pytest.mark.usefixtures("platform")
def test_discarded_drafts_promise_nothing() -> None:
    discarded = make_invoice(status="discarded", month=date(2026, 8, 1), fees_cents=100)
    InvoiceLine.objects.filter(invoice=discarded).update(net_cents=1)

    assert [broken for promise in PROMISES for broken in promise.find()] == []


@pytest.mark.usefixtures("platform")
def test_number_of_queries_does_not_depend_on_the_number_of_rows(django_assert_max_num_queries: Any) -> None:
    for _ in range(5):
        make_invoice(status="pending", fees_cents=100)

    with django_assert_max_num_queries(3 * len(PROMISES)):
        for promise in PROMISES:
            list(promise.find())
