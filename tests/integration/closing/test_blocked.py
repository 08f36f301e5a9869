"""Organizations that cannot be billed: each blocked with a sentence, and nobody else is stopped.

Usage of apps.S costs 0.01 a second.
"""

from datetime import date

import pytest
from django.core.management import call_command

from billing.domain.assembly import Assembled, RateCards, assemble
from billing.domain.facts import Facts
from billing.models import Invoice, LegalEntity, TaxRate, UsageMonth
from billing.queries.exports import export_documents
from billing.usecases import _runs
from organizations.models import Organization
from tests.builders.closing import (
    bill_of,
    broken_promises,
    close,
    close_and_issue,
    consume,
    invoice_of,
    issue,
    lines_of,
    make_add_on,
    make_charge,
    make_metered_price,
    make_plan,
    month,
    outcome_of,
    remaining_of,
    why_blocked,
)
from tests.builders.credits import make_grant
from tests.builders.organizations import make_billing_profile, make_organization
from tests.builders.usage import make_meter

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    return make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 1, 15))


@pytest.fixture
def unlucky(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of organizations whose invoice fails to compute, as a bug of ours would."""
    ids: list[int] = []

    def fail(facts: Facts, rate_cards: RateCards) -> Assembled:
        if facts.payer_id in ids:
            raise ZeroDivisionError("division by zero")
        return assemble(facts, rate_cards)

    monkeypatch.setattr("billing.usecases._close_batch.assemble", fail)
    return ids


# --- Prices -----------------------------------------------------------------------------------------------------------


def test_a_meter_without_a_price_blocks_until_the_price_exists(atlas: Organization) -> None:
    make_meter(code="gpu")
    consume(atlas, quantity=100, on="2026-10-03")
    consume(atlas, quantity=3, on="2026-10-04", meter="gpu")

    report = close("2026-10")

    assert (report.invoices, report.nil, report.blocked) == (0, 0, 1)
    assert why_blocked(atlas, "2026-10") == (
        "No price in EUR for meter gpu in zone “par” on 1 Oct 2026: add the price, then close the month again."
    )
    assert not Invoice.objects.exists()

    make_metered_price(code="gpu", unit_price="2")
    close("2026-10")
    assert bill_of(atlas, "2026-10").fees == "7.00"  # 100 x 0.01 + 3 x 2


def test_a_price_for_another_zone_is_no_price(atlas: Organization) -> None:
    make_metered_price(code="gpu", zone="mtl", unit_price="2")
    consume(atlas, quantity=3, on="2026-10-04", meter="gpu")

    close("2026-10")

    assert "for meter gpu in zone “par”" in why_blocked(atlas, "2026-10")


def test_a_price_that_begins_after_the_usage_is_no_price(atlas: Organization) -> None:
    make_metered_price(code="gpu", unit_price="2", valid_from=month("2026-11").start)
    consume(atlas, quantity=3, on="2026-10-31", meter="gpu")

    close("2026-10")

    assert "for meter gpu" in why_blocked(atlas, "2026-10")


def test_late_usage_without_a_price_blocks_the_next_month(atlas: Organization) -> None:
    close_and_issue("2026-10")
    make_meter(code="gpu")
    consume(atlas, quantity=3, on="2026-10-04", meter="gpu", at=month("2026-11").end)

    close("2026-11")

    assert "on 1 Oct 2026" in why_blocked(atlas, "2026-11")


def test_a_quantity_of_zero_needs_no_price(atlas: Organization) -> None:
    make_meter(code="gpu")
    consume(atlas, quantity=0, on="2026-10-04", meter="gpu")
    consume(atlas, quantity=100, on="2026-10-03")

    assert close("2026-10").invoices == 1


def test_an_add_on_plan_without_a_price_on_the_day_blocks(atlas: Organization) -> None:
    make_add_on(organization=atlas, plan=make_plan(prices=[(date(2026, 11, 15), 49_00)]), started_on=date(2026, 10, 1))

    close("2026-10")

    assert why_blocked(atlas, "2026-10") == "The plan of add-on “Support” has no price on 1 Oct 2026: add one."


# --- Parties and VAT --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"company": "", "name": ""}, "name or company"),
        ({"company": "", "name": " "}, "name or company"),
        ({"address": ""}, "address"),
        ({"city": "", "address": ""}, "address, city"),
        ({"country": ""}, "country"),
    ],
)
def test_an_incomplete_billing_profile_blocks(atlas: Organization, fields: dict[str, str], missing: str) -> None:
    atlas.billing_profile.delete()
    make_billing_profile(organization=atlas, **fields)  # type: ignore[arg-type]  # given by the test
    consume(atlas, quantity=100, on="2026-10-03")

    close("2026-10")

    assert why_blocked(atlas, "2026-10") == (
        f"The billing profile lacks: {missing}. Complete it, then close the month again."
    )


def test_a_name_alone_is_enough(atlas: Organization) -> None:
    atlas.billing_profile.delete()
    make_billing_profile(organization=atlas, company="", name="Jane Doe")
    consume(atlas, quantity=100, on="2026-10-03")

    assert close("2026-10").invoices == 1


def test_who_has_nothing_to_bill_is_nil_whatever_is_missing(atlas: Organization) -> None:
    atlas.billing_profile.delete()

    assert (close("2026-10").nil, outcome_of(atlas, "2026-10").reason_code) == (1, "no_activity")


def test_a_country_without_a_rate_blocks(atlas: Organization) -> None:
    LegalEntity.objects.update(over_oss_threshold=True)
    TaxRate.objects.filter(territory="DE").delete()
    atlas.billing_profile.delete()
    make_billing_profile(organization=atlas, country="DE", is_company=False)
    consume(atlas, quantity=100, on="2026-10-03")

    close("2026-10")

    assert why_blocked(atlas, "2026-10") == "No VAT rate is known for country “DE”: check it, or add a rate."


# --- Numbers too large ------------------------------------------------------------------------------------------------

TOO_LARGE = "The quantities or amounts are too large to be true: check the usage."


def test_quantities_whose_sum_no_column_can_hold(atlas: Organization) -> None:
    for day in range(1, 12):  # 11 x 10^12 units are 1.1 x 10^19 millionths, more than 2^63
        consume(atlas, quantity=10**12, on=f"2026-10-{day:02d}")

    close("2026-10")

    assert why_blocked(atlas, "2026-10") == TOO_LARGE


@pytest.mark.parametrize(
    "unit_price",
    [
        "99999999",  # 10^12 x 10^8 = 10^20 of money
        "1000",  # 10^15 of money are 10^17 cents, but 10^21 millionths
    ],
)
def test_amounts_that_no_column_can_hold(atlas: Organization, unit_price: str) -> None:
    make_metered_price(code="gold", unit_price=unit_price)
    consume(atlas, quantity=10**12, on="2026-10-03", meter="gold")

    close("2026-10")

    assert why_blocked(atlas, "2026-10") == TOO_LARGE


def test_amounts_that_are_huge_but_fit(atlas: Organization) -> None:
    make_metered_price(code="gold", unit_price="1")
    consume(atlas, quantity=10**12, on="2026-10-03", meter="gold")

    close("2026-10")

    # 10^12 consumed and as much provisioned, and 20 % of VAT
    assert bill_of(atlas, "2026-10").total == "2400000000000.00"


# --- Unexpected errors ------------------------------------------------------------------------------------------------


def test_five_poisoned_of_a_hundred_stop_nobody(
    atlas: Organization, unlucky: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_runs, "BATCH_SIZE", 20)  # one by one is slow, and only one batch has to
    hundred = [atlas] + [make_organization(external_id=f"orga_{number:03d}") for number in range(1, 100)]
    no_price, no_profile, gigantic, no_plan_price, failing = hundred[10:60:10]
    make_meter(code="gpu")
    make_metered_price(code="gold", unit_price="99999999")
    for organization in hundred:
        consume(organization, quantity=100, on="2026-10-03")
    consume(no_price, quantity=1, on="2026-10-03", meter="gpu")
    no_profile.billing_profile.delete()
    consume(gigantic, quantity=10**12, on="2026-10-03", meter="gold")
    make_add_on(organization=no_plan_price, plan=make_plan(prices=[]), started_on=date(2026, 10, 1))
    unlucky.append(failing.pk)

    report = close("2026-10")

    assert (report.invoices, report.nil, report.blocked) == (95, 0, 5)
    assert [(blocked.external_id, blocked.reason_code) for blocked in report.blocked_organizations] == [
        ("orga_010", "no_price"),
        ("orga_020", "incomplete_billing_profile"),
        ("orga_030", "amount_too_large"),
        ("orga_040", "no_plan_price"),
        ("orga_050", "unexpected_error"),
    ]
    # 1.00 regularized, 1.00 provisioned
    assert report.totals["EUR"].subtotal_cents == 95 * 2_00
    assert len(issue("2026-10").numbers) == 95
    assert broken_promises() == []


def test_an_unexpected_error_is_recorded_and_mended_by_closing_again(atlas: Organization, unlucky: list[int]) -> None:
    child = make_organization(external_id="orga_child", parent=atlas)
    consume(child, quantity=100, on="2026-10-03")
    unlucky.append(atlas.pk)

    close("2026-10")

    assert why_blocked(atlas, "2026-10") == (
        "An unexpected error, recorded in the log: ZeroDivisionError: division by zero"
    )
    assert (outcome_of(child, "2026-10").kind, outcome_of(child, "2026-10").reason_code) == (
        "on_parent",
        "payer_blocked",
    )

    unlucky.clear()
    close_and_issue("2026-10")
    assert bill_of(atlas, "2026-10").fees == "1.00"
    assert outcome_of(child, "2026-10").invoice == invoice_of(atlas, "2026-10")


def test_an_unexpected_error_is_recorded_when_one_organization_is_closed(
    atlas: Organization, unlucky: list[int]
) -> None:
    unlucky.append(atlas.pk)

    report = close("2026-10", atlas)

    assert [blocked.reason_code for blocked in report.blocked_organizations] == ["unexpected_error"]


def test_an_unexpected_error_after_a_nil_month_forgets_nothing(atlas: Organization, unlucky: list[int]) -> None:
    make_metered_price(code="requests", tiers=[(1000, "0"), (None, "1")])
    trial = make_grant(organization=atlas, type="free", amount_cents=5_00, expires_on=date(2026, 10, 31))
    consume(atlas, quantity=900, on="2026-09-03", meter="requests")
    consume(atlas, quantity=700, on="2026-10-03", meter="requests")
    close("2026-10")
    unlucky.append(atlas.pk)
    close("2026-10")
    assert UsageMonth.objects.filter(unbilled=True).count() == 2

    unlucky.clear()
    make_charge(organization=atlas)
    close_and_issue("2026-10")

    assert [(line.month, line.quantity) for line in bill_of(atlas, "2026-10").usage] == [
        ("2026-09", "900"),
        ("2026-10", "700"),
    ]
    assert remaining_of(trial) == 0
    assert broken_promises() == []


def test_an_unexpected_error_while_issuing_stops_nobody(atlas: Organization, unlucky: list[int]) -> None:
    others = [make_organization(external_id=f"orga_{number}") for number in range(3)]
    for organization in (atlas, *others):
        consume(organization, quantity=100, on="2026-10-03")
    close("2026-10")
    unlucky.append(others[1].pk)

    report = issue("2026-10")

    assert [number[-6:] for number in report.numbers] == ["000001", "000002", "000003"]
    assert [(refused.external_id, refused.reason.code) for refused in report.not_issued] == [
        ("orga_1", "unexpected_error")
    ]
    assert invoice_of(others[1], "2026-10").document_state == "draft"


# --- Drafts of organizations that are blocked meanwhile ---------------------------------------------------------------


def test_a_stale_draft_is_neither_exported_nor_issued_and_comes_back(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    draft = invoice_of(atlas, "2026-10")
    make_meter(code="gpu")
    consume(atlas, quantity=1, on="2026-10-04", meter="gpu")

    close("2026-10")

    assert list(export_documents(month("2026-10"))) == []
    report = issue("2026-10")
    assert (report.numbers, [refused.reason.code for refused in report.not_issued]) == ([], ["no_price"])

    make_metered_price(code="gpu", unit_price="2")
    close("2026-10")
    assert invoice_of(atlas, "2026-10").pk == draft.pk
    assert lines_of(bill_of(atlas, "2026-10")) == ["provision 2026-11 3.00", "regularization 2026-10 3.00"]
    close_and_issue("2026-10")
    assert broken_promises() == []


def test_a_draft_that_is_blocked_only_when_it_is_issued_is_named(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    atlas.billing_profile.delete()

    report = issue("2026-10")

    assert (report.numbers, [refused.reason.code for refused in report.not_issued]) == (
        [],
        ["incomplete_billing_profile"],
    )
    assert outcome_of(atlas, "2026-10").kind == "blocked"


def test_blocked_ones_are_printed_with_id_name_and_reason(
    atlas: Organization, capsys: pytest.CaptureFixture[str]
) -> None:
    Organization.objects.update(opened_on=date(2025, 1, 1))
    make_meter(code="gpu")
    consume(atlas, quantity=1, on="2025-10-04", meter="gpu")

    call_command("close_month", "2025-10")
    call_command("issue_invoices", "2025-10")

    sentence = "No price in EUR for meter gpu in zone “par” on 1 Oct 2025: add the price, then close the month again."
    assert capsys.readouterr().out.splitlines() == [
        f"blocked: orga_atlas Atlas: {sentence}",
        "invoices: 0, nil: 0, blocked: 1",
        f"not issued: orga_atlas Atlas: {sentence}",
        "issued: 0, not issued: 1",
    ]
