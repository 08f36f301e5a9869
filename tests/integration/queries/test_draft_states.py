"""The states of drafts as lists see them say the same as the check of each draft when it is issued.

Usage of apps.S costs 0.01 a second. A draft of 100.00 of usage with as much of provision is 240.00 with its VAT.
"""

from datetime import date
from itertools import product

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import ApprovalPolicy, Charge, DraftCheck, Invoice, MonthClose
from billing.queries.approvals import why_stored_draft_needs_approval
from billing.queries.cockpit import load_states, ready_payers
from billing.queries.draft_states import awaiting_approval, drafts_awaiting_approval
from billing.usecases.adjust_invoice import AddedLine, Discount
from billing.usecases.grant_credits import grant_credits
from organizations.models import BillingProfile, Organization, User
from tests.builders.adjusting import adjust
from tests.builders.closing import close, consume, make_charge, make_metered_price
from tests.builders.desk import desk, make_staff
from tests.builders.four_eyes import NOVEMBER_3, approve
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

OCTOBER = date(2026, 10, 1)


@pytest.fixture
def payers() -> dict[str, Organization]:
    """A draft for each way in which people can change one, all of them closed."""
    make_metered_price()
    max_ = make_staff("Billing manager")
    names = "plain charge discount line agreed credits later_credits parent sub_credits sub_discount approved own"
    payers = {name: make_organization(external_id=f"orga_{name}", name=name.title()) for name in names.split()}
    for payer in payers.values():
        consume(payer, quantity=10_000, on="2026-10-03")
    _charge(payers["charge"], max_)
    _charge(make_organization(external_id="orga_child", name="Child", parent=payers["parent"]), max_)
    Organization.objects.filter(external_id__in=("orga_agreed", "orga_own")).update(
        consumption_discount_ppm=500_000, discount_author=max_
    )
    _give(payers["credits"], max_)
    _give(make_organization(external_id="orga_given", name="Given", parent=payers["sub_credits"]), max_)
    _give(payers["later_credits"], max_, starts_on=date(2026, 11, 1))
    agreed = make_organization(external_id="orga_sub_agreed", name="Agreed", parent=payers["sub_discount"])
    Organization.objects.filter(pk=agreed.pk).update(consumption_discount_ppm=500_000, discount_author=max_)
    consume(agreed, quantity=10_000, on="2026-10-04")
    close("2026-10")
    adjust(payers["discount"], Discount(amount_cents=60_00))
    adjust(payers["line"], AddedLine("Set up", quantity_micro=1_000_000, unit_price_micro=70_000_000))
    return payers


def _charge(organization: Organization, author: User, *, day: date = date(2026, 10, 20)) -> None:
    Charge.objects.filter(pk=make_charge(organization=organization, day=day).pk).update(author=author)


def _give(organization: Organization, author: User, *, starts_on: date | None = None) -> None:
    grant_credits(
        organization_id=organization.pk,
        type="free",
        amount_cents=80_00,
        starts_on=starts_on,
        at=NOVEMBER_3,
        author=author,
    )


def awaiting_by_list() -> set[str]:
    return set(drafts_awaiting_approval(OCTOBER).values_list("organization__external_id", flat=True))


def test_who_waits_is_the_same_for_the_list_as_for_each_draft(payers: dict[str, Organization]) -> None:
    drafts = list(Invoice.objects.select_related("organization"))
    assert len(drafts) == len(payers)
    seen = set()
    for total, line, discount, given in product((None, 200_00, 500_00), *[(None, 50_00)] * 3):
        ApprovalPolicy.objects.update(
            invoice_total_cents=total, manual_line_cents=line, discount_cents=discount, credit_note_cents=given
        )
        one_by_one = {draft.organization.external_id for draft in drafts if why_stored_draft_needs_approval(draft)}
        assert awaiting_by_list() == one_by_one, (total, line, discount, given)
        seen.add(frozenset(one_by_one))
    assert len(seen) > 10  # the limits tell them apart


def test_an_approval_counts_for_the_list_unless_it_is_of_an_author(payers: dict[str, Organization]) -> None:
    ApprovalPolicy.objects.update(invoice_total_cents=1)
    for name in ("approved", "own"):
        approve(Invoice.objects.get(organization=payers[name]), make_staff("Controller"))
    assert awaiting_by_list() == {f"orga_{name}" for name in payers} - {"orga_approved", "orga_own"}

    clara = User.objects.get(email=make_staff("Controller").email)
    Organization.objects.filter(external_id="orga_own").update(discount_author=clara)
    assert awaiting_by_list() == {f"orga_{name}" for name in payers} - {"orga_approved"}


def test_the_list_asks_as_many_queries_for_three_months_as_for_one() -> None:
    """Each organization has one draft: who has the draft of a month before gets none of the next."""
    make_metered_price()
    max_ = make_staff("Billing manager")
    ApprovalPolicy.objects.update(invoice_total_cents=1, manual_line_cents=1, discount_cents=1, credit_note_cents=1)
    numbers = []
    for number, text in enumerate(("2026-08", "2026-09", "2026-10"), start=1):
        for name in ("plain", "approved", "own"):
            day = date.fromisoformat(f"{text}-03")
            payer = make_organization(external_id=f"orga_{text}_{name}", name=name, opened_on=day)
            consume(payer, quantity=10_000, on=f"{day}")
            _charge(payer, max_, day=day)
            _give(payer, max_)
        close(text)
        for name in ("approved", "own"):
            draft = Invoice.objects.get(organization__external_id=f"orga_{text}_{name}")
            adjust(draft.organization, Discount(amount_cents=1_00), text=text)
            approve(draft, make_staff("Controller"))
        own = Charge.objects.filter(organization__external_id=f"orga_{text}_own")
        own.update(author=make_staff("Controller"))
        with CaptureQueriesContext(connection) as captured:
            found = set(Invoice.objects.filter(awaiting_approval()).values_list("organization__external_id", flat=True))
        assert len(found) == 2 * number
        assert not any("approved" in payer for payer in found)
        numbers.append(len(captured))
    assert numbers[0] == numbers[1] == numbers[2]


def test_a_failed_e_invoice_is_to_be_reviewed_in_the_cockpit_as_in_the_list(payers: dict[str, Organization]) -> None:
    draft = Invoice.objects.get(organization=payers["plain"])
    DraftCheck.objects.create(invoice=draft, fingerprint=draft.fingerprint, failures=[], failure_count=2)
    other = Invoice.objects.get(organization=payers["charge"])  # changed since
    DraftCheck.objects.create(invoice=other, fingerprint="before", failures=[], failure_count=2)
    assert load_states(OCTOBER).review == 0  # no customer of these must get an e-invoice

    BillingProfile.objects.update(requires_e_invoice=True)
    states = load_states(OCTOBER)
    assert (states.drafts, states.ready, states.review) == (len(payers), len(payers) - 1, 1)
    assert payers["plain"].pk not in ready_payers(OCTOBER)
    assert payers["charge"].pk in ready_payers(OCTOBER)
    client = desk("Viewer")
    cells = client.get(reverse("admin:billing_monthclose_change", args=[MonthClose.objects.get().pk])).context
    assert {str(cell["label"]): counted(client, cell["url"]) for cell in cells["state_cells"]} == {
        str(cell["label"]): cell["number"] for cell in cells["state_cells"]
    }


def counted(client: Client, url: str) -> int:
    """How many rows the list has that a number of the cockpit leads to."""
    number: int = client.get(url).context["cl"].result_count
    return number
