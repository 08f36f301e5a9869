"""Closing a month: what a draft says, and that closing again says the same.

Usage costs 0.01 a second, so that 100 seconds are 1.00.
"""

import hashlib
from datetime import date

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import CloseOutcome, CreditEntry, Invoice, MonthClose, Price
from billing.usecases.close_month import UnableToClose
from organizations.models import Organization
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
    outcome_of,
    pay,
    usage_of,
    why_blocked,
)
from tests.builders.credits import make_grant
from tests.builders.organizations import make_organization
from tests.builders.usage import make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def price() -> Price:
    return make_metered_price()


@pytest.fixture
def atlas(price: Price) -> Organization:
    return make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1))


def test_the_first_invoice_regularizes_the_month_and_provisions_the_next(atlas: Organization) -> None:
    consume(atlas, quantity=68_689, on="2026-10-03")

    report = close("2026-10")

    assert (report.invoices, report.nil, report.blocked) == (1, 0, 0)
    bill = bill_of(atlas, "2026-10")
    assert lines_of(bill) == ["provision 2026-11 686.89", "regularization 2026-10 686.89"]
    assert letters_of(bill, "a b c d e f g h") == "a 0.00 b 0.00 c 0.00 d 0.00 e 0.00 f -686.89 g 0.00 h 686.89"
    # 686.89 + 686.89 = 1373.78; x 20 % = 274.756 -> 274.76; together 1648.54
    assert (bill.fees, bill.subtotal, bill.vat, bill.total) == ("686.89", "1373.78", "274.76", "1648.54")
    assert report.totals["EUR"].total_cents == 1648_54


def test_the_next_month_is_paid_by_what_was_provisioned(atlas: Organization) -> None:
    consume(atlas, quantity=10_000, on="2026-09-03")
    close_and_issue("2026-09")
    pay(invoice_of(atlas, "2026-09"))  # 100.00 of prepaid credits
    consume(atlas, quantity=12_000, on="2026-10-03")

    close("2026-10")

    bill = bill_of(atlas, "2026-10")
    # b = 100.00 pays 100.00 of 120.00; f = -120.00; h = -(100 - 100 - 120) = 120.00
    assert letters_of(bill, "b e f h B i") == "b 100.00 e -100.00 f -120.00 h 120.00 B 120.00 i 20.00"
    assert lines_of(bill) == ["provision 2026-11 120.00", "regularization 2026-10 20.00"]


def test_closing_again_changes_and_writes_nothing(atlas: Organization) -> None:
    _a_bit_of_everything(atlas)
    close("2026-10", at=local("2026-11-01 03:00"))
    before = _content()
    assert broken_promises() == []

    with CaptureQueriesContext(connection) as queries:
        close("2026-10", at=local("2026-11-02 03:00"))

    assert _content() == before
    statements = [str(query["sql"]) for query in queries]
    written = [sql for sql in statements if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    run = ("billing_monthclose", "billing_closebatch")
    assert [sql for sql in written if not any(table in sql for table in run)] == []


def test_a_refresh_after_new_usage_keeps_the_invoice_and_replaces_its_parts(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    first = invoice_of(atlas, "2026-10")
    consume(atlas, quantity=50, on="2026-10-04")

    close("2026-10", at=local("2026-11-02 03:00"))

    second = invoice_of(atlas, "2026-10")
    assert (second.pk, second.created_at) == (first.pk, first.created_at)
    assert second.computed_at == local("2026-11-02 03:00")
    # 150 x 0.01 = 1.50 consumed and as much provisioned
    assert lines_of(bill_of(atlas, "2026-10")) == ["provision 2026-11 1.50", "regularization 2026-10 1.50"]
    assert usage_of(bill_of(atlas, "2026-10")) == ["2026-10 app_orga_atlas apps.S 150 1.50"]


def test_a_refresh_after_a_changed_price_rates_again(atlas: Organization, price: Price) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    price.tiers.update(unit_price="0.02")

    close("2026-10")

    assert bill_of(atlas, "2026-10").fees == "2.00"


def test_a_refresh_that_leaves_nothing_discards_the_draft(atlas: Organization) -> None:
    charge = make_charge(organization=atlas)
    close("2026-10")
    draft = invoice_of(atlas, "2026-10")
    charge.delete()

    report = close("2026-10")

    assert (report.invoices, report.nil) == (0, 1)
    draft.refresh_from_db()
    assert (draft.document_state, draft.number) == ("discarded", None)


def test_the_number_of_queries_depends_on_nothing(atlas: Organization) -> None:
    _a_bit_of_everything(atlas)
    few = _queries_to_close_and_issue("2026-10")
    plan = make_plan(code="more")
    for number in range(20):
        organization = make_organization(external_id=f"orga_{number}", opened_on=date(2026, 11, 1))
        make_grant(organization=organization, type="free", amount_cents=50, expires_on=date(2026, 11, 30))
        make_add_on(organization=organization, plan=plan, started_on=date(2026, 11, 1))
        make_charge(organization=organization)
        for on in ("2026-11-03", "2026-11-04", "2026-10-31"):  # one of them late
            consume(organization, quantity=100, on=on, resource=make_resource(organization=organization))

    many = _queries_to_close_and_issue("2026-11")

    # the month before and late usage are looked up in a few more
    assert [after - before <= 10 for before, after in zip(few, many, strict=True)] == [True, True], (few, many)


def test_several_resources_meters_and_zones_print_a_line_each(atlas: Organization) -> None:
    make_metered_price(code="addon.pg", unit_price="0.001")
    make_metered_price(code="apps.S", zone="mtl", unit_price="0.03")
    web = make_resource(organization=atlas, external_id="app_1", name="web")
    api = make_resource(organization=atlas, external_id="app_2", name="api")
    for resource, meter, zone in [
        (web, "apps.S", "par"),
        (web, "apps.S", "mtl"),
        (api, "addon.pg", "par"),
        (api, "APPS.s", "PAR"),
    ]:
        for day in ("2026-10-03", "2026-10-04"):
            consume(atlas, quantity=333, on=day, resource=resource, meter=meter, zone=zone)

    close("2026-10")

    # by resource name, meter, zone; 666 x 0.001 = 0.666 -> 0.67; 666 x 0.03 = 19.98
    assert usage_of(bill_of(atlas, "2026-10")) == [
        "2026-10 app_2 addon.pg 666 0.67",
        "2026-10 app_2 apps.S 666 6.66",
        "2026-10 app_1 apps.S 666 19.98",
        "2026-10 app_1 apps.S 666 6.66",
    ]
    # each printed line is rounded once: 0.67 + 6.66 + 19.98 + 6.66 = 33.97
    assert bill_of(atlas, "2026-10").fees == "33.97"
    assert broken_promises() == []


def test_usage_of_zero_is_printed_in_the_details_only(atlas: Organization) -> None:
    consume(atlas, quantity=0, on="2026-10-03")
    make_charge(organization=atlas)

    close("2026-10")

    assert usage_of(bill_of(atlas, "2026-10")) == ["2026-10 app_orga_atlas apps.S 0 0.00"]
    assert lines_of(bill_of(atlas, "2026-10")) == ["one_shot 2026-10-20 800.00"]


# --- Which months -----------------------------------------------------------------------------------------------------


def test_a_month_that_has_not_ended_is_refused(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")

    with pytest.raises(UnableToClose, match="2026-10 has not ended yet: wait until 2026-11-01"):
        close("2026-10", at=local("2026-10-31 23:59"))

    assert not Invoice.objects.exists()
    assert not MonthClose.objects.exists()


def test_a_month_has_ended_at_midnight_in_paris(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")

    assert close("2026-10", at=local("2026-11-01")).invoices == 1


def test_a_month_before_the_first_is_refused(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")

    with pytest.raises(UnableToClose, match="2026-09 is before 2026-10, the first month that was closed here"):
        close("2026-09")
    with pytest.raises(UnableToClose, match="2026-09 is before 2026-10"):
        close("2026-09", dry_run=True)

    assert not MonthClose.objects.filter(month=date(2026, 9, 1)).exists()


@pytest.mark.parametrize("before", ["draft", "blocked"])
def test_a_month_is_blocked_by_a_draft_or_blocked_month_before(atlas: Organization, before: str) -> None:
    consume(atlas, quantity=100, on="2026-09-03", meter="apps.S")
    if before == "blocked":
        atlas.billing_profile.delete()
    close("2026-09")
    consume(atlas, quantity=100, on="2026-10-03")

    report = close("2026-10")

    assert (report.invoices, report.nil, report.blocked) == (0, 0, 1)
    sentences = {
        "draft": "The invoice of September 2026 of orga_atlas is still a draft: issue it first.",
        "blocked": "September 2026 of orga_atlas is blocked: unblock and issue it first.",
    }
    assert why_blocked(atlas, "2026-10") == sentences[before]


def test_a_month_is_blocked_when_the_one_before_was_skipped(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-08-03")
    close_and_issue("2026-08")

    assert close("2026-10").blocked == 1
    assert why_blocked(atlas, "2026-10") == "September 2026 of orga_atlas is not closed yet: close it first."

    close("2026-09")  # a provision was sold and is not paid, nothing was consumed: g covers f
    assert outcome_of(atlas, "2026-09").kind == "nil"
    close("2026-10")
    assert outcome_of(atlas, "2026-10").kind == "nil"


@pytest.mark.parametrize("before", ["issued", "nil"])
def test_a_month_follows_an_issued_or_nil_month(atlas: Organization, before: str) -> None:
    if before == "issued":
        consume(atlas, quantity=100, on="2026-09-03")
    close_and_issue("2026-09")
    consume(atlas, quantity=300, on="2026-10-03")

    assert close("2026-10").invoices == 1


def test_blocked_by_the_month_before_lets_go_once_it_is_issued(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-09-03")
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-09")
    close("2026-10")
    issue("2026-09", at=local("2026-11-01 12:00"))

    assert close("2026-10").invoices == 1
    # g = 1.00 (sold in September, unpaid) covers f = -1.00, so only the month itself is billed
    assert lines_of(bill_of(atlas, "2026-10")) == ["regularization 2026-10 1.00"]


def test_an_issued_month_is_left_alone(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    consume(atlas, quantity=900, on="2026-10-04")
    before = _content()

    report = close("2026-10", at=local("2026-11-05"))

    assert _content() == before
    assert (report.invoices, report.totals["EUR"].subtotal_cents) == (1, 2_00)


def test_an_organization_that_came_later_starts_with_its_first_month(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-09-03")
    close_and_issue("2026-09")
    borealis = make_organization(external_id="orga_borealis", opened_on=date(2026, 9, 15))  # told after the close
    consume(borealis, quantity=70, on="2026-09-20")
    consume(borealis, quantity=30, on="2026-10-03")

    close("2026-10")

    # usage older than the first close is late usage on the first invoice; the estimate is October's 0.30
    assert lines_of(bill_of(borealis, "2026-10")) == [
        "provision 2026-11 0.30",
        "regularization 2026-09 0.70",
        "regularization 2026-10 0.30",
    ]


# --- First and last months --------------------------------------------------------------------------------------------


def test_who_opened_later_or_closed_before_has_no_outcome(atlas: Organization) -> None:
    make_organization(external_id="orga_new", opened_on=date(2026, 11, 1))
    make_organization(external_id="orga_old", opened_on=date(2026, 1, 1), closed_on=date(2026, 9, 30))
    make_organization(external_id="orga_last_day", opened_on=date(2026, 10, 31))
    make_organization(external_id="orga_first_day", opened_on=date(2026, 1, 1), closed_on=date(2026, 10, 1))

    close("2026-10")

    named = CloseOutcome.objects.values_list("organization__external_id", flat=True)
    assert set(named) == {"orga_atlas", "orga_last_day", "orga_first_day"}


def test_the_month_in_which_an_account_closes_is_its_last(atlas: Organization) -> None:
    atlas.closed_on = date(2026, 10, 20)
    atlas.save()
    trial = make_grant(organization=atlas, type="free", amount_cents=50, starts_on=date(2026, 1, 1))
    consume(atlas, quantity=170, on="2026-10-03")

    close_and_issue("2026-10")

    bill = bill_of(atlas, "2026-10")
    # f = h = 0; 1.70 - 0.50 free = 1.20 regularized
    assert letters_of(bill, "a c d f h") == "a 0.50 c -0.50 d 0.00 f 0.00 h 0.00"
    assert lines_of(bill) == ["regularization 2026-10 1.20"]
    trial.refresh_from_db()
    assert trial.remaining_cents == 0
    assert close("2026-11").invoices + close("2026-11").nil == 0


def test_free_credits_are_lost_when_the_account_closes(atlas: Organization) -> None:
    atlas.closed_on = date(2026, 10, 20)
    atlas.negotiated_refill_cents = 500_00
    atlas.save()
    for_years = make_grant(organization=atlas, type="free", amount_cents=10_00, expires_on=date(2029, 12, 31))
    not_begun = make_grant(organization=atlas, type="free", amount_cents=5_00, starts_on=date(2027, 1, 1))
    consume(atlas, quantity=300, on="2026-10-03")

    close_and_issue("2026-10")

    # 3.00 are used, 7.00 lost; what had not begun is lost too, but was never in a; nothing is refilled
    assert letters_of(bill_of(atlas, "2026-10"), "a c d h B") == "a 10.00 c -3.00 d -7.00 h 0.00 B 0.00"
    assert sorted(CreditEntry.objects.filter(kind="expiry").values_list("grant_id", "amount_cents")) == [
        (for_years.pk, -7_00),
        (not_begun.pk, -5_00),
    ]


# --- One organization by its id, and the command ----------------------------------------------------------------------


def test_one_organization_can_be_closed_by_itself(atlas: Organization) -> None:
    borealis = make_organization(external_id="orga_borealis")
    for organization in (atlas, borealis):
        consume(organization, quantity=100, on="2026-10-03")

    report = close("2026-10", borealis)

    assert (report.invoices, report.nil, report.blocked) == (1, 0, 0)
    assert list(Invoice.objects.values_list("organization", flat=True)) == [borealis.pk]
    assert not MonthClose.objects.filter(finished_at__isnull=False).exists()


def test_unknown_organizations_are_named_and_nothing_is_closed(atlas: Organization) -> None:
    with pytest.raises(CommandError, match=r"Unknown organization: orga_x, orga_y\."):
        call_command("close_month", "2025-10", organization=["orga_x", "orga_atlas", "orga_y"])

    assert not CloseOutcome.objects.exists()


def test_the_command_prints_blocked_organizations_and_totals(
    atlas: Organization, capsys: pytest.CaptureFixture[str]
) -> None:
    Organization.objects.update(opened_on=date(2025, 1, 1))
    nowhere = make_organization(
        external_id="orga_nowhere", name="Nowhere", with_profile=False, opened_on=date(2025, 1, 1)
    )
    for organization in (atlas, nowhere):
        consume(organization, quantity=100, on="2025-10-03")
    make_organization(external_id="orga_quiet", opened_on=date(2025, 1, 1))

    call_command("close_month", "2025-10")

    assert capsys.readouterr().out.splitlines() == [
        (
            "blocked: orga_nowhere Nowhere: The billing profile lacks: name or company, address, city, country. "
            "Complete it, then close the month again."
        ),
        "invoices: 1, nil: 1, blocked: 1",
        "subtotal: 2.00 EUR, VAT: 0.40 EUR, total: 2.40 EUR",
    ]


@pytest.mark.parametrize("text", ["2026-13", "10-2026", "2026-1", "next", "２０２６-10", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="is not a month: write YYYY-MM"):
        call_command("close_month", text)


def _a_bit_of_everything(organization: Organization) -> None:
    make_grant(organization=organization, type="free", amount_cents=50, expires_on=date(2026, 10, 31))
    make_add_on(organization=organization, plan=make_plan())
    make_charge(organization=organization)
    make_organization(external_id="orga_quiet")
    make_organization(external_id="orga_child", parent=organization)
    blocked = make_organization(external_id="orga_blocked", with_profile=False)
    consume(organization, quantity=100, on="2026-10-03")
    consume(blocked, quantity=100, on="2026-10-03")


def _queries_to_close_and_issue(text: str) -> list[int]:
    counts = []
    for work in (close, issue):
        with CaptureQueriesContext(connection) as queries:
            work(text)
        counts.append(len(queries))
    return counts


def _content() -> dict[str, str]:
    """Every row of billing but those of the run itself."""
    content = {}
    for model in apps.get_app_config("billing").get_models():
        if model._meta.model_name in ("monthclose", "closebatch"):
            continue
        rows = sorted(map(repr, model._base_manager.values_list()))
        content[model._meta.model_name or ""] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return content
