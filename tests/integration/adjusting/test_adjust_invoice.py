"""Adjusting a draft: stored with its author and reason, computed and written anew, kept by every refresh.

Atlas consumes 100.00 in October without credits (h = 100.00) and owes 49.00 of support for November and a migration
of 800.00: 1,049.00, with 20 % VAT 1,258.80.
"""

from datetime import date

import pytest

from billing.domain.quantities import MICRO
from billing.models import Adjustment, Event, Invoice
from billing.usecases._permissions import NotAllowed
from billing.usecases.adjust_invoice import (
    AddedLine,
    Change,
    ChangedMeanwhile,
    Discount,
    DueDate,
    Note,
    PurchaseOrder,
    Refill,
    Skip,
    UnableToAdjust,
)
from organizations.models import Organization
from tests.builders.adjusting import adjust, confirm, conflicts_of, draft_of, later, seen, try_adjust, undo
from tests.builders.closing import (
    bill_of,
    broken_promises,
    close,
    close_and_issue,
    consume,
    invoice_of,
    issue,
    letters_of,
    lines_of,
    local,
    make_add_on,
    make_charge,
    make_metered_price,
    make_plan,
    month,
    outcome_of,
    pay,
)
from tests.builders.desk import make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

PLAIN = [
    "provision 2026-11 100.00",
    "regularization 2026-10 100.00",
    "add_on 2026-11 49.00",
    "one_shot 2026-10-20 800.00",
]


@pytest.fixture
def atlas() -> Organization:
    """Its October is closed, and a draft."""
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 1, 1))
    consume(atlas, quantity=10_000, on="2026-10-03")
    support = make_add_on(organization=atlas, plan=make_plan())
    support.billed_until = date(2026, 11, 1)
    support.save()
    make_charge(organization=atlas)
    close("2026-10")
    assert lines_of(bill_of(atlas, "2026-10")) == PLAIN
    return atlas


def migration(atlas: Organization) -> str:
    return f"one_shot:{atlas.charges.get().pk}"


def lines(atlas: Organization) -> list[str]:
    return lines_of(bill_of(atlas, "2026-10"))


def setup(cents: int = 50_00, *, quantity: int = 1) -> AddedLine:
    return AddedLine("Setup", quantity * MICRO, cents * 10_000)


# --- One of each kind -------------------------------------------------------------------------------------------------


def test_an_added_line(atlas: Organization) -> None:
    effect = try_adjust(atlas, setup(12_50, quantity=3)).effect

    # 3 x 12.50 = 37.50, with 20 % VAT 45.00 more
    assert lines(atlas) == [*PLAIN, "adjustment 2026-10 37.50"]
    assert (effect.before_cents, effect.after_cents, effect.change_cents) == (1258_80, 1303_80, 45_00)
    assert bill_of(atlas, "2026-10").lines[-1].description == "Setup"
    assert broken_promises() == []


def test_discounts(atlas: Organization) -> None:
    adjust(atlas, Discount(migration(atlas), percent_ppm=150_000, name="Sorry for the delay"))
    adjust(atlas, Discount(amount_cents=9_00))

    # 15 % of 800.00; then 9.00 off the whole
    assert lines(atlas) == [*PLAIN, "discount 2026-10 -120.00", "discount 2026-10 -9.00"]
    line = bill_of(atlas, "2026-10").lines[-2]
    assert (line.description, line.quantity, line.unit_price) == ("Sorry for the delay", "-1", "120.00")
    assert invoice_of(atlas, "2026-10").subtotal_cents == 1049_00 - 129_00
    assert broken_promises() == []


def test_another_refill(atlas: Organization) -> None:
    adjust(atlas, Refill(250_00))

    assert letters_of(bill_of(atlas, "2026-10"), "f h B") == "f -100.00 h 250.00 B 250.00"
    assert lines(atlas)[0] == "provision 2026-11 250.00"
    assert broken_promises() == []


def test_a_skipped_charge_is_billed_by_the_next_invoice(atlas: Organization) -> None:
    adjust(atlas, Skip(migration(atlas)))
    adjust(atlas, Skip(f"add_on:{atlas.add_ons.get().pk}"))
    assert lines(atlas) == PLAIN[:2]

    assert issue("2026-10").not_issued == []

    assert atlas.charges.get().invoice is None
    assert atlas.add_ons.get().billed_until == date(2026, 11, 1)
    assert broken_promises() == []
    close("2026-11")
    assert [line for line in lines_of(bill_of(atlas, "2026-11")) if not line.startswith("provision")] == [
        "add_on 2026-11 49.00",
        "add_on 2026-12 49.00",
        "one_shot 2026-10-20 800.00",
    ]


def test_wishes_are_printed_when_issued(atlas: Organization) -> None:
    adjust(atlas, DueDate(date(2026, 12, 24)))
    adjust(atlas, PurchaseOrder("PO-7"))
    adjust(atlas, Note("Happy holidays"))

    assert issue("2026-10").not_issued == []

    invoice = invoice_of(atlas, "2026-10")
    assert invoice.buyer is not None
    assert (invoice.due_date, invoice.buyer["purchase_order"], invoice.note) == (
        *(date(2026, 12, 24), "PO-7"),
        "Happy holidays",
    )
    assert invoice.buyer["company"] == "Atlas SAS"
    assert broken_promises() == []


def test_without_wishes_it_is_as_ever(atlas: Organization) -> None:
    issue("2026-10")

    invoice = invoice_of(atlas, "2026-10")
    assert (invoice.due_date, invoice.note, (invoice.buyer or {})["purchase_order"]) == (date(2026, 12, 1), "", "")


# --- Who, when, why ---------------------------------------------------------------------------------------------------


def test_it_leaves_author_reason_and_an_event(atlas: Organization) -> None:
    adjustment = adjust(atlas, setup())

    fiona = make_staff("Accountant")
    row = Adjustment.objects.get()
    assert (row.author, row.reason, row.created_at) == (fiona, "As agreed with the customer", later())
    event = Event.objects.get(kind="adjustment.added")
    assert (event.actor, event.invoice, event.organization, event.reason) == (
        *(fiona, invoice_of(atlas, "2026-10")),
        *(atlas, "As agreed with the customer"),
    )
    assert event.values == {
        "adjustment": adjustment.pk,
        "kind": "line",
        "name": "Setup",
        "quantity_micro": 1_000_000,
        "unit_price_micro": 50_000_000,
        "before_cents": 1258_80,
        "after_cents": 1318_80,
        "currency": "EUR",
    }


def test_only_who_may(atlas: Organization) -> None:
    with pytest.raises(NotAllowed):
        try_adjust(atlas, setup(), actor=make_staff("Viewer"))

    assert not Adjustment.objects.exists()


# --- Undone, refreshed, issued ----------------------------------------------------------------------------------------


def test_undoing_gives_back_exactly_the_draft_before(atlas: Organization) -> None:
    before = invoice_of(atlas, "2026-10")
    for change in (setup(), Refill(1_00), Skip(migration(atlas)), Note("Hello"), Discount(amount_cents=1_00)):
        adjust(atlas, change)

    for adjustment in Adjustment.objects.all():
        undo(atlas, adjustment)

    after = invoice_of(atlas, "2026-10")
    assert (after.pk, after.fingerprint, after.total_cents) == (before.pk, before.fingerprint, before.total_cents)
    assert lines(atlas) == PLAIN
    assert Adjustment.objects.filter(undone_at=later()).count() == 5
    assert Event.objects.filter(kind="adjustment.undone").count() == 5


def test_a_refresh_keeps_every_adjustment(atlas: Organization) -> None:
    adjust(atlas, setup())
    adjust(atlas, Discount(percent_ppm=100_000))
    consume(atlas, quantity=5_000, on="2026-10-04")

    close("2026-10")

    # usage of 150.00 now; 10 % of 150.00 + 49.00 + 800.00 + 50.00
    assert lines(atlas) == [
        "provision 2026-11 150.00",
        "regularization 2026-10 150.00",
        *PLAIN[2:],
        "adjustment 2026-10 50.00",
        "discount 2026-10 -104.90",
    ]
    assert invoice_of(atlas, "2026-10").open_findings == 0


def test_an_issued_invoice_bills_what_was_adjusted(atlas: Organization) -> None:
    adjust(atlas, setup())
    adjust(atlas, Refill(60_00))
    adjust(atlas, Discount("regularization:2026-10", amount_cents=100_00))

    close_and_issue("2026-10")
    pay(invoice_of(atlas, "2026-10"))

    # 60.00 + (100.00 - 100.00) + 49.00 + 800.00 + 50.00 = 959.00
    assert bill_of(atlas, "2026-10").subtotal == "959.00"
    assert atlas.credits.get().remaining_cents == 60_00
    assert broken_promises() == []
    with pytest.raises(UnableToAdjust, match=r"The invoice of October 2026 is issued: correct it with a credit note\."):
        try_adjust(atlas, setup())
    with pytest.raises(UnableToAdjust, match="is issued"):
        undo(atlas, Adjustment.objects.all()[0])


def test_when_everything_is_skipped_there_is_no_invoice_until_that_is_undone(atlas: Organization) -> None:
    borea = make_organization(external_id="orga_borea")
    make_charge(organization=borea)
    close("2026-10")

    skip = adjust(borea, Skip(migration(borea)))

    assert draft_of(borea) is None
    outcome = outcome_of(borea, "2026-10")
    assert (outcome.kind, outcome.reason_code) == ("nil", "skipped_by_hand")
    assert broken_promises() == []
    undo(borea, skip)
    assert lines_of(bill_of(borea, "2026-10")) == ["one_shot 2026-10-20 800.00"]


def test_a_line_for_who_had_nothing_to_bill(atlas: Organization) -> None:
    quiet = make_organization(external_id="orga_quiet")
    close("2026-10")
    assert outcome_of(quiet, "2026-10").kind == "nil"

    adjust(quiet, setup())

    assert lines_of(bill_of(quiet, "2026-10")) == ["adjustment 2026-10 50.00"]
    assert issue("2026-10").not_issued == []
    assert broken_promises() == []


# --- Tried before it is saved -----------------------------------------------------------------------------------------


def test_a_dry_run_tells_the_effect_and_writes_nothing(atlas: Organization) -> None:
    before = invoice_of(atlas, "2026-10")

    effect = try_adjust(atlas, Discount(migration(atlas), percent_ppm=500_000), reason="", dry_run=True).effect

    # half of 800.00 and of its VAT
    assert (effect.currency, effect.change_cents, effect.after_cents) == ("EUR", -480_00, 778_80)
    assert not Adjustment.objects.exists()
    assert not Event.objects.exists()
    after = invoice_of(atlas, "2026-10")
    assert (after.fingerprint, after.computed_at) == (before.fingerprint, before.computed_at)


def test_undoing_can_be_tried_too(atlas: Organization) -> None:
    adjustment = adjust(atlas, setup())

    assert undo(atlas, adjustment, dry_run=True).change_cents == -60_00
    assert lines(atlas)[-1] == "adjustment 2026-10 50.00"


def test_what_else_changed_is_told_apart(atlas: Organization) -> None:
    consume(atlas, quantity=5_000, on="2026-10-04")

    effect = try_adjust(atlas, setup(), dry_run=True).effect

    # usage of 50.00 more, provisioned too: 2 x 50.00 and VAT; the line itself 50.00 and VAT
    assert (effect.before_cents, effect.computed_cents, effect.after_cents) == (1258_80, 1378_80, 1438_80)


# --- Conflicts --------------------------------------------------------------------------------------------------------


@pytest.fixture
def conflict(atlas: Organization) -> Adjustment:
    """Half of the regularization of 100.00 is given away, then it becomes 150.00."""
    adjustment = adjust(atlas, Discount("regularization:2026-10", percent_ppm=500_000))
    consume(atlas, quantity=5_000, on="2026-10-04")
    close("2026-10")
    return adjustment


def test_a_conflict_is_shown_and_blocks_issuing(atlas: Organization, conflict: Adjustment) -> None:
    invoice = invoice_of(atlas, "2026-10")
    assert invoice.open_findings == 1
    (note,) = conflicts_of(atlas)
    assert note["code"] == "adjustment_line_changed"
    assert note["values"] == {"adjustment": conflict.pk, "then_cents": 100_00, "now_cents": 150_00}

    report = issue("2026-10")

    assert report.numbers == []
    assert [(refused.reason.code, refused.reason.values) for refused in report.not_issued] == [
        ("open_findings", {"count": 1})
    ]
    assert broken_promises() == []


def test_keeping_it_settles_the_conflict(atlas: Organization, conflict: Adjustment) -> None:
    confirm(atlas, conflict)

    invoice = invoice_of(atlas, "2026-10")
    assert (invoice.open_findings, conflicts_of(atlas)) == (0, [])
    # half of 150.00
    assert lines(atlas)[-1] == "discount 2026-10 -75.00"
    event = Event.objects.get(kind="adjustment.confirmed")
    assert (event.values["line_before_cents"], event.values["line_after_cents"]) == (100_00, 150_00)
    assert len(issue("2026-10").numbers) == 1


def test_undoing_it_settles_the_conflict(atlas: Organization, conflict: Adjustment) -> None:
    undo(atlas, conflict)

    assert invoice_of(atlas, "2026-10").open_findings == 0
    assert len(issue("2026-10").numbers) == 1


def test_a_skipped_line_that_changed_can_be_kept(atlas: Organization) -> None:
    skip = adjust(atlas, Skip(migration(atlas)))
    atlas.charges.update(unit_price_micro=900_000_000)
    close("2026-10")
    assert invoice_of(atlas, "2026-10").open_findings == 1

    confirm(atlas, skip)

    skip.refresh_from_db()
    assert (skip.target_net_cents, invoice_of(atlas, "2026-10").open_findings) == (900_00, 0)


def test_a_discount_that_exceeds_its_line_cannot_be_kept(atlas: Organization) -> None:
    discount = adjust(atlas, Discount(migration(atlas), amount_cents=800_00))
    atlas.charges.update(unit_price_micro=500_000_000)
    close("2026-10")
    assert lines(atlas)[-1] == "discount 2026-10 -500.00"

    with pytest.raises(UnableToAdjust, match=r"more than the 500\.00 that can be taken off: undo it"):
        confirm(atlas, discount)

    assert invoice_of(atlas, "2026-10").open_findings == 1


def test_without_a_conflict_there_is_nothing_to_keep(atlas: Organization) -> None:
    adjustment = adjust(atlas, setup())

    with pytest.raises(UnableToAdjust, match="nothing to decide"):
        confirm(atlas, adjustment)


def test_a_due_date_that_passed_before_issuing_is_named(atlas: Organization) -> None:
    adjust(atlas, DueDate(date(2026, 11, 3)))

    report = issue("2026-10", at=local("2026-11-04 10:00"))

    assert [refused.reason.code for refused in report.not_issued] == ["due_date_before_issue"]
    assert len(issue("2026-10", at=local("2026-11-04 10:00"), on=date(2026, 11, 3)).numbers) == 1


# --- Refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (AddedLine(" ", MICRO, 1_000_000), "Write what is to be printed"),
        (AddedLine("x" * 501, MICRO, 1_000_000), "At most 500 characters"),
        (AddedLine("Setup", MICRO, -1_000_000), "cannot take money off: give a discount instead"),
        (AddedLine("Setup", -MICRO, 1_000_000), "cannot take money off: give a discount instead"),
        (AddedLine("Setup", 0, 1_000_000), r"comes to 0\.00"),
        (AddedLine("Setup", MICRO, 4_999), r"comes to 0\.00"),
        (AddedLine("Setup", 10**9 * MICRO, 10**18), r"at most 10000000000\.00"),
        (Discount(percent_ppm=1_000_001), "above 0 % and at most 100 %"),
        (Discount(percent_ppm=0), "above 0 % and at most 100 %"),
        (Discount(amount_cents=0), r"more than 0\.00"),
        (Discount(amount_cents=-1), r"more than 0\.00"),
        (Discount(), "either a percentage or an amount"),
        (Discount(percent_ppm=1, amount_cents=1), "either a percentage or an amount"),
        (Discount("provision", percent_ppm=10_000), "set another refill instead"),
        (Discount("one_shot:99999", percent_ppm=10_000), "not on the draft"),
        (Discount(amount_cents=949_01), r"949\.01 is too much: at most 949\.00 can be taken off"),
        (Discount("regularization:2026-10", amount_cents=100_01), r"100\.01 is too much: at most 100\.00"),
        (Refill(-1), r"between 0\.00 and"),
        (Refill(10**13), r"between 0\.00 and"),
        (Skip("provision"), r"set a refill of 0\.00 instead"),
        (Skip("regularization:2026-10"), "Consumption cannot wait"),
        (Skip("line:1"), "undo that instead"),
        (Skip("add_on:99999"), "not on the draft"),
        (Skip("anything"), "cannot wait"),
        (DueDate(date(2026, 10, 31)), "31 Oct 2026 is in the past: choose 1 Nov 2026 or later"),
        (DueDate(date(2062, 11, 1)), "years away: choose 2 Nov 2028 or earlier"),
        (PurchaseOrder(""), "Write what is to be printed"),
        (PurchaseOrder("x" * 101), "At most 100 characters"),
        (Note("  "), "Write what is to be printed"),
        (Note("x" * 2001), "At most 2000 characters"),
    ],
)
def test_what_cannot_be_is_refused_with_its_limit(atlas: Organization, change: Change, message: str) -> None:
    before = invoice_of(atlas, "2026-10").fingerprint

    with pytest.raises(UnableToAdjust, match=message):
        try_adjust(atlas, change)

    assert not Adjustment.objects.exists()
    assert not Event.objects.exists()
    assert invoice_of(atlas, "2026-10").fingerprint == before


@pytest.mark.parametrize(("reason", "message"), [("", "a reason is needed"), ("  ", "needed"), ("x" * 1001, "1000")])
def test_a_reason_is_needed(atlas: Organization, reason: str, message: str) -> None:
    with pytest.raises(UnableToAdjust, match=message):
        try_adjust(atlas, setup(), reason=reason)

    assert not Adjustment.objects.exists()


def test_discounts_together_never_exceed_their_base(atlas: Organization) -> None:
    adjust(atlas, Discount(migration(atlas), percent_ppm=600_000))

    # 60 % and 50 % of 800.00: 320.00 are left
    with pytest.raises(UnableToAdjust, match=r"400\.00 is too much: at most 320\.00"):
        try_adjust(atlas, Discount(migration(atlas), percent_ppm=500_000))


def test_a_discount_on_a_line_leaves_what_is_off_the_whole(atlas: Organization) -> None:
    adjust(atlas, Discount(amount_cents=900_00))

    # 949.00 - 900.00 = 49.00 are left, wherever they are taken off
    with pytest.raises(UnableToAdjust, match=r"50\.00 is too much: at most 49\.00"):
        try_adjust(atlas, Discount(migration(atlas), amount_cents=50_00))
    adjust(atlas, Discount(migration(atlas), amount_cents=49_00))
    assert invoice_of(atlas, "2026-10").subtotal_cents == 100_00


def test_the_skipped_cannot_be_skipped_again(atlas: Organization) -> None:
    adjust(atlas, Skip(migration(atlas)))

    with pytest.raises(UnableToAdjust, match="not on the draft"):
        try_adjust(atlas, Skip(migration(atlas)))


def test_an_account_that_closes_gets_no_refill(atlas: Organization) -> None:
    atlas.closed_on = date(2026, 10, 31)
    atlas.save()
    close("2026-10")

    with pytest.raises(UnableToAdjust, match="closes with this month"):
        try_adjust(atlas, Refill(10_00))


def test_undone_once_is_undone(atlas: Organization) -> None:
    adjustment = adjust(atlas, setup())
    undo(atlas, adjustment)

    with pytest.raises(UnableToAdjust, match="undone already"):
        undo(atlas, adjustment)


def test_a_month_that_is_not_closed_has_nothing_to_adjust(atlas: Organization) -> None:
    with pytest.raises(UnableToAdjust, match="November 2026 is not closed for it yet"):
        try_adjust(atlas, setup(), text="2026-11")
    child = make_organization(parent=atlas)
    with pytest.raises(UnableToAdjust, match="no invoice of its own"):
        try_adjust(child, setup())


def test_a_month_that_cannot_be_billed_says_why(atlas: Organization) -> None:
    atlas.billing_profile.delete()

    with pytest.raises(UnableToAdjust, match="cannot be billed at present: The billing profile lacks"):
        try_adjust(atlas, setup())

    assert not Adjustment.objects.exists()


def test_who_looked_at_another_draft_is_told(atlas: Organization) -> None:
    looked = seen(atlas)
    adjustment = adjust(atlas, setup())

    with pytest.raises(ChangedMeanwhile, match="Somebody changed this draft meanwhile"):
        try_adjust(atlas, Refill(1_00), seen_=looked)
    undo(atlas, adjustment)

    assert [row.kind for row in Adjustment.objects.all()] == ["line"]
    assert Invoice.objects.get().fingerprint == looked


def test_another_adjustment_of_no_effect_is_another_draft(atlas: Organization) -> None:
    looked = seen(atlas)
    try_adjust(atlas, Refill(100_00))  # what was computed

    with pytest.raises(ChangedMeanwhile):
        try_adjust(atlas, setup(), seen_=looked)


def test_adjusting_a_month_leaves_other_months_alone(atlas: Organization) -> None:
    adjust(atlas, setup())
    close_and_issue("2026-10")
    close("2026-11")

    assert "adjustment" not in " ".join(lines_of(bill_of(atlas, "2026-11")))
    assert month("2026-11").first_day == invoice_of(atlas, "2026-11").consumption_month
