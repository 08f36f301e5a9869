"""A draft on hold is not issued until it is released."""

from datetime import date

import pytest

from billing.models import Event, Invoice
from billing.usecases._permissions import NotAllowed
from billing.usecases.adjust_invoice import Skip
from billing.usecases.hold_invoice import ChangedMeanwhile, UnableToAdjust, hold_invoice
from billing.usecases.release_hold import release_hold
from tests.builders.adjusting import adjust, draft_of, later, undo
from tests.builders.closing import close, consume, invoice_of, issue, make_charge, make_metered_price
from tests.builders.desk import make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> Invoice:
    make_metered_price()
    for name in ("atlas", "borea"):
        organization = make_organization(external_id=f"orga_{name}", name=name.title(), opened_on=date(2026, 1, 1))
        consume(organization, quantity=100, on="2026-10-03")
    close("2026-10")
    return Invoice.objects.get(organization__external_id="orga_atlas")


def hold(draft: Invoice, reason: str = "A question about the usage", *, role: str = "Accountant") -> Invoice:
    return hold_invoice(invoice_id=draft.pk, reason=reason, seen=draft.fingerprint, actor=make_staff(role), at=later())


def release(draft: Invoice, *, seen: str | None = None) -> Invoice:
    return release_hold(
        invoice_id=draft.pk,
        seen=draft.fingerprint if seen is None else seen,
        actor=make_staff("Accountant"),
        at=later(),
    )


def test_what_is_on_hold_is_not_issued(draft: Invoice) -> None:
    hold(draft)

    report = issue("2026-10")

    assert len(report.numbers) == 1
    assert [(refused.external_id, refused.reason.code, refused.reason.values) for refused in report.not_issued] == [
        ("orga_atlas", "on_hold", {"reason": "A question about the usage"})
    ]
    draft.refresh_from_db()
    assert (draft.document_state, draft.number) == ("draft", None)
    event = Event.objects.get(kind="invoice.held")
    assert (event.kind, event.invoice, event.actor, event.reason) == (
        *("invoice.held", draft, make_staff("Accountant")),
        "A question about the usage",
    )


def test_a_refresh_keeps_the_hold(draft: Invoice) -> None:
    hold(draft)
    consume(draft.organization, quantity=50, on="2026-10-04")

    close("2026-10")

    assert invoice_of(draft.organization, "2026-10").hold_reason == "A question about the usage"


def test_a_draft_that_was_discarded_on_hold_comes_back_on_hold(draft: Invoice) -> None:
    borea = make_organization(external_id="orga_cadence")
    make_charge(organization=borea)
    close("2026-10")
    hold(invoice_of(borea, "2026-10"))
    skip = adjust(borea, Skip(f"one_shot:{borea.charges.get().pk}"))
    assert draft_of(borea) is None

    undo(borea, skip)

    assert invoice_of(borea, "2026-10").hold_reason == "A question about the usage"
    release(invoice_of(borea, "2026-10"))
    undo(borea, adjust(borea, Skip(f"one_shot:{borea.charges.get().pk}")))
    assert invoice_of(borea, "2026-10").hold_reason == ""


def test_what_is_released_is_issued(draft: Invoice) -> None:
    hold(draft)
    release(draft)

    assert len(issue("2026-10").numbers) == 2
    assert [event.kind for event in Event.objects.filter(kind__startswith="invoice.h").order_by("id")] == [
        "invoice.held",
        "invoice.hold_released",
    ]


def test_refusals(draft: Invoice) -> None:
    with pytest.raises(UnableToAdjust, match="not on hold"):
        release(draft)
    with pytest.raises(UnableToAdjust, match="a reason is needed"):
        hold(draft, " ")
    with pytest.raises(NotAllowed):
        hold(draft, role="Controller")
    assert not Event.objects.exists()
    hold(draft)
    with pytest.raises(UnableToAdjust, match="on hold already: A question about the usage"):
        hold(draft, "Again")
    with pytest.raises(ChangedMeanwhile):
        release(draft, seen="another")
    issue("2026-10")
    other = invoice_of(Invoice.objects.get(number__isnull=False).organization, "2026-10")
    with pytest.raises(UnableToAdjust, match="not a draft"):
        hold(other)
