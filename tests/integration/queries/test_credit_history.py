"""The balance and its movements in a customer's words; sums agree with the ledger."""

from datetime import date

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from billing.models import CreditEntry, CreditGrant
from billing.queries.credit_history import History, load_balance, load_history, tree_ids
from billing.queries.credit_words import lot_words, movement_words, validity_words
from billing.queries.provision_words import load_provision
from organizations.models import Organization
from tests.builders.closing import (
    close,
    close_and_issue,
    consume,
    invoice_of,
    issue,
    local,
    make_metered_price,
    month,
    pay,
)
from tests.builders.credits import make_grant
from tests.builders.invoices import make_invoice
from tests.builders.money import charge_back, credit, receive
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

JANUARY_2027 = "2027-01"


def history_of(organization: Organization, text: str = JANUARY_2027, months: int = 24) -> History:
    return load_history(tree_ids(organization), until=month(text), months=months)


def words_of(history: History) -> list[str]:
    return [
        f"{each.cents / 100:+.2f} {movement_words(each, 'EUR')}" for page in history.months for each in page.movements
    ]


def assert_agrees_with_the_ledger(organization: Organization) -> None:
    history, ids = history_of(organization, months=240), tree_ids(organization)
    total = CreditEntry.objects.filter(grant__organization__in=ids).aggregate(cents=Sum("amount_cents"))["cents"] or 0
    assert sum(page.change_cents for page in history.months) == total
    assert (history.months[0].closing_cents if history.months else 0) == total == load_balance(ids).total_cents
    for page in history.months:
        opened = local(f"{page.month}")
        before = CreditEntry.objects.filter(grant__organization__in=ids, booked_at__lt=opened)
        assert page.opening_cents == (before.aggregate(cents=Sum("amount_cents"))["cents"] or 0)


def test_the_published_example_in_words() -> None:
    """691.35 were there, October consumed 686.89, the invoice sells 682.43."""
    make_metered_price(unit_price="0.01")
    atlas = make_organization()
    make_grant(organization=atlas, amount_cents=691_35, reason="Moved from the old system", at=local("2026-09-20"))
    consume(atlas, quantity=68_689, on="2026-10-05")
    close_and_issue("2026-10")
    invoice = invoice_of(atlas, "2026-10")
    pay(invoice, at=local("2026-11-06 10:00"))

    history = history_of(atlas)

    assert words_of(history) == [
        "-686.89 The consumption of October 2026 used €686.89 of credits.",
        (
            f"+682.43 Your invoice {invoice.number} of 1 November 2026 sold you €682.43 of credits; "
            "they became usable when it was paid in full on 6 November 2026."
        ),
        "+691.35 €691.35 of prepaid credits were added: Moved from the old system",
    ]
    november, september = history.months
    assert (september.opening_cents, september.closing_cents) == (0, 691_35)
    assert (november.opening_cents, november.closing_cents) == (691_35, 686_89)
    assert history.older is None
    assert_agrees_with_the_ledger(atlas)


def test_free_credits_that_expire_unused() -> None:
    make_metered_price(unit_price="0.01")
    atlas = make_organization()
    make_grant(
        organization=atlas,
        type="free",
        amount_cents=50_00,
        expires_on=date(2026, 10, 31),
        reason="trial",
        at=local("2026-10-02"),
    )
    consume(atlas, quantity=3_000, on="2026-10-05")
    close_and_issue("2026-10")

    assert words_of(history_of(atlas)) == [
        "-30.00 The consumption of October 2026 used €30.00 of credits.",
        "-20.00 €20.00 were left unused and expired on 31 October 2026 (trial).",
        "+50.00 You were given €50.00 of free credits: trial",
    ]
    assert_agrees_with_the_ledger(atlas)


def test_free_credits_of_an_account_that_closes_are_lost_before_they_expire() -> None:
    make_metered_price(unit_price="0.01")
    atlas = make_organization()
    make_grant(
        organization=atlas,
        type="free",
        amount_cents=50_00,
        expires_on=date(2027, 12, 31),
        reason="trial",
        at=local("2026-10-02"),
    )
    consume(atlas, quantity=3_000, on="2026-10-05")
    Organization.objects.update(closed_on=date(2026, 10, 20))
    close_and_issue("2026-10")

    assert "-20.00 €20.00 of free credits were lost (trial): the account is closed." in words_of(history_of(atlas))


def test_what_is_there_stands_in_the_order_of_use() -> None:
    atlas = make_organization()
    make_grant(organization=atlas, reason="prepaid")
    make_grant(organization=atlas, type="free", priority=2, expires_on=date(2026, 11, 30), reason="third")
    make_grant(organization=atlas, type="free", priority=1, reason="second")
    make_grant(organization=atlas, type="free", priority=1, expires_on=date(2026, 12, 31), reason="first")
    found = [holding.lot.reason for holding in load_balance(tree_ids(atlas)).usable]
    assert found == ["first", "second", "third", "prepaid"]


def test_a_charge_back_suspends_and_a_new_payment_brings_back() -> None:
    atlas = make_organization()
    invoice = make_invoice(organization=atlas, status="pending", fees_cents=100_00)
    payment = receive(atlas, invoice.total_cents)
    charge_back(payment)

    assert any("are suspended until it is paid again" in words for words in words_of(history_of(atlas)))
    assert load_balance(tree_ids(atlas)).pending_cents == 100_00
    assert_agrees_with_the_ledger(atlas)


def test_credits_of_sub_organizations_are_part_of_the_account() -> None:
    atlas = make_organization()
    labs = make_organization(name="Atlas Labs", parent=atlas)
    make_grant(organization=labs, type="free", amount_cents=20_00)
    make_grant(organization=make_organization(name="Boreal"), type="free", amount_cents=99_00)

    assert load_balance(tree_ids(atlas)).free_cents == 20_00
    assert_agrees_with_the_ledger(atlas)


def test_what_is_there_and_what_waits() -> None:
    atlas = make_organization()
    invoice = make_invoice(organization=atlas, status="pending", fees_cents=100_00)
    make_grant(organization=atlas, amount_cents=10_00, reason="Bought ahead")
    make_grant(organization=atlas, type="free", amount_cents=7_00, reason="gesture")
    make_grant(organization=atlas, type="free", amount_cents=5_00, expires_on=date(2026, 11, 30), reason="trial")

    balance = load_balance(tree_ids(atlas))

    today = date(2026, 11, 10)
    assert [validity_words(holding.lot, today) for holding in balance.usable][:2] == [
        "until 30 November 2026",
        "does not expire",
    ]
    assert balance.total_cents == balance.free_cents + balance.prepaid_cents
    assert balance.total_cents == sum(grant.remaining_cents for grant in CreditGrant.objects.all())
    assert [(lot_words(holding.lot)) for holding in balance.pending] == [f"sold by invoice {invoice.number}"]


def test_older_months_are_on_the_next_page() -> None:
    atlas = make_organization()
    make_grant(organization=atlas, amount_cents=10_00, at=local("2024-05-05"))
    make_grant(organization=atlas, amount_cents=3_00, at=local("2026-10-05"))

    page = history_of(atlas, "2026-11", months=12)

    assert [(each.opening_cents, each.closing_cents) for each in page.months] == [(10_00, 13_00)]
    assert page.older == month("2025-11")
    assert load_history(tree_ids(atlas), until=month("2024-06")).older is None


def test_as_many_queries_for_24_months_as_for_one() -> None:
    atlas, boreal = make_organization(), make_organization(name="Boreal")
    make_grant(organization=boreal)
    for number in range(24):
        for _ in range(3):
            make_grant(organization=atlas, at=local(f"{2025 + number // 12}-{number % 12 + 1:02d}-05"))

    counts = []
    for organization in (boreal, atlas):
        with CaptureQueriesContext(connection) as captured:
            ids = tree_ids(organization)
            load_balance(ids)
            words_of(load_history(ids, until=month("2026-12"), months=24))
            load_provision(organization)
        counts.append(len(captured))

    assert counts[0] == counts[1] <= 7


def test_the_provision_explained_with_own_figures() -> None:
    make_metered_price(unit_price="0.01")
    atlas = make_organization()
    assert load_provision(atlas) is None
    make_grant(organization=atlas, amount_cents=691_35)
    consume(atlas, quantity=68_689, on="2026-10-05")
    close("2026-10")
    assert load_provision(atlas) is None  # a draft explains nothing yet
    issue("2026-10")

    provision = load_provision(atlas)

    assert provision is not None
    assert [(step.words, step.cents) for step in provision.steps] == [
        ("November 2026 will probably cost, going by the months before", 686_89),
        ("less the credits that October 2026 has left you", -4_46),
        ("the provision of this invoice", 682_43),
    ]
    assert provision.conclusion.startswith("With €682.43 you have what November 2026 will probably use.")


def test_a_provision_that_was_agreed_says_so() -> None:
    make_metered_price(unit_price="0.01")
    atlas = make_organization(negotiated_refill_cents=500_00)
    consume(atlas, quantity=100, on="2026-10-05")
    close_and_issue("2026-10")

    provision = load_provision(atlas)

    assert provision is not None
    assert "was agreed with you" in provision.conclusion


@pytest.mark.parametrize(
    ("credited_cents", "conclusion"),
    [
        (2_500, "A credit note took €25.00 of the €100.00 back: the rest stays yours."),
        (10_000, "A credit note took this provision back: you do not pay for it, and it gives you no credits."),
    ],
)
def test_a_provision_that_was_credited_says_so(credited_cents: int, conclusion: str) -> None:
    invoice = make_invoice(status="pending", fees_cents=10_000)
    credit(invoice, {"regularization": 1_000, "provision": credited_cents})

    provision = load_provision(invoice.organization)

    assert provision is not None
    assert provision.conclusion == conclusion


def test_more_than_enough_stays_on_the_account() -> None:
    make_metered_price(unit_price="0.01")
    atlas = make_organization()
    make_grant(organization=atlas, amount_cents=100_00)
    consume(atlas, quantity=1_000, on="2026-10-05")
    close_and_issue("2026-10")

    provision = load_provision(atlas)

    assert provision is not None
    *steps, result = provision.steps
    assert sum(step.cents for step in steps) == result.cents == 0
    assert steps[-1].cents == 80_00


def test_sentences_have_every_name_in_every_language() -> None:
    atlas = make_organization()
    make_grant(organization=atlas, amount_cents=10_00)
    with translation.override("fr"):
        assert words_of(history_of(atlas))
