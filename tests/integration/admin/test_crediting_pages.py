"""Correcting invoices from their pages: credit, issue, cancel, give back; and settling a closed account."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import ApprovalPolicy, Event, Invoice
from billing.usecases.return_lowered_usage import return_lowered_usage
from organizations.models import Organization
from tests.builders.closing import broken_promises, close_and_issue, consume, invoice_of, local, make_metered_price
from tests.builders.credits import make_grant
from tests.builders.desk import desk, make_staff
from tests.builders.invoices import make_invoice
from tests.builders.money import credit, prepare, stands
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def max_() -> Client:
    return desk("Billing manager")


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas")


@pytest.fixture
def october(atlas: Organization) -> Invoice:
    # U 100.00: regularization 100.00 + provision 100.00, 20 % VAT: 240.00
    return make_invoice(organization=atlas, status="pending", fees_cents=10_000)


def page_of(row: Invoice | Organization) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def dialog(row: Invoice | Organization, name: str) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_do", args=[row.pk, name])


def offered(client: Client, row: Invoice | Organization) -> set[str]:
    return {button.name for button in client.get(page_of(row)).context["buttons"]}


def fill(client: Client, row: Invoice | Organization, name: str, **values: object) -> dict[str, object]:
    """What the form of a dialog is filled in with, and some other values."""
    form = client.get(dialog(row, name)).context["form"]
    shown = {field.name: field.value() for field in form}
    return {**{key: "" if value is None else value for key, value in shown.items()}, **values}


def test_all_that_is_left_is_prefilled(max_: Client, october: Invoice) -> None:
    credit(october, {"regularization": 4_000})

    page = max_.get(dialog(october, "credit")).content.decode()

    assert "Regularization, October 2026" in page
    assert 'value="60.00"' in page
    assert 'value="100.00"' in page


def test_credit_a_part_then_issue_it(max_: Client, october: Invoice) -> None:
    ids = dict(october.lines.values_list("kind", "pk"))
    amounts = {f"line_{ids['regularization']}": "25.00", f"line_{ids['provision']}": ""}
    values = fill(max_, october, "credit", reason="Outage on 12 October", **amounts)

    looked = max_.post(dialog(october, "credit"), {**values, "reason": "", "preview": "1"})
    assert [(effect.before_cents, effect.after_cents) for effect in looked.context["effect"]] == [(0, 3_000)]
    assert not october.credit_notes.exists()
    max_.post(dialog(october, "credit"), values)
    note = october.credit_notes.get()
    assert (note.total_cents, note.note) == (3_000, "Outage on 12 October")
    assert offered(max_, note) >= {"issue-credit-note", "discard-credit-note"}
    assert "credit" not in offered(max_, october)
    answer = max_.post(dialog(note, "issue-credit-note"), fill(max_, note, "issue-credit-note"), follow=True)

    assert "is issued." in answer.content.decode()
    note.refresh_from_db()
    assert note.document_state == "issued"
    assert not offered(max_, note)
    assert not broken_promises()


def test_too_much_shows_as_a_sentence(max_: Client, october: Invoice) -> None:
    ids = dict(october.lines.values_list("kind", "pk"))
    values = fill(max_, october, "credit", reason="Outage", **{f"line_{ids['regularization']}": "100.01"})

    page = max_.post(dialog(october, "credit"), values).content.decode()

    assert "100.01 cannot be credited of “Regularization, October 2026”: 100.00 are left of it." in page
    assert not october.credit_notes.exists()


def test_a_stale_page_is_refused(max_: Client, october: Invoice) -> None:
    values = fill(max_, october, "cancel-invoice", reason="Wrong address")
    credit(october, {"regularization": 100})

    page = max_.post(dialog(october, "cancel-invoice"), values).content.decode()

    assert "Somebody changed this meanwhile" in page
    october.refresh_from_db()
    assert not october.released


def test_discard(max_: Client, october: Invoice) -> None:
    note = prepare(october)

    max_.post(dialog(note, "discard-credit-note"), {"reason": "Wrong customer"})

    note.refresh_from_db()
    assert note.document_state == "discarded"
    assert Event.objects.filter(kind="credit_note.discarded").count() == 2


def test_cancel_and_what_its_page_says_then(max_: Client, october: Invoice) -> None:
    max_.post(dialog(october, "cancel-invoice"), fill(max_, october, "cancel-invoice", reason="Wrong address"))

    assert stands(october) == ("canceled", 0)
    page = max_.get(page_of(october)).content.decode()
    assert "This invoice was cancelled: all that it billed is billed anew. Close its month again." in page
    assert not offered(max_, october)
    assert not broken_promises()


def test_a_second_person_approves_on_the_page(october: Invoice) -> None:
    ApprovalPolicy.objects.update(credit_note_cents=10_000)
    max_, clara = desk("Billing manager"), desk("Controller")
    note = prepare(october, actor=make_staff("Billing manager"))

    issue = fill(max_, note, "issue-credit-note")
    refused = max_.post(dialog(note, "issue-credit-note"), issue).content.decode()
    assert "A second person has to approve a credit note of 240.00 (from 100.00 on)." in refused
    assert "approve" not in offered(max_, note)
    clara.post(dialog(note, "approve"), fill(clara, note, "approve"))
    max_.post(dialog(note, "issue-credit-note"), issue)

    note.refresh_from_db()
    assert note.document_state == "issued"


def test_give_back_what_late_usage_made_cheaper(max_: Client) -> None:
    make_metered_price()
    make_metered_price(code="gb", unit="GB", mode="volume", tiers=[(100, "1"), (None, "0.5")])
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 8, 1), forecast_months=0)
    consume(atlas, quantity=90, on="2026-10-03", meter="gb")
    close_and_issue("2026-10")
    assert "give-back" not in offered(max_, invoice_of(atlas, "2026-10"))
    consume(atlas, quantity=20, on="2026-10-20", meter="gb", at=local("2026-11-05"))
    consume(atlas, quantity=100, on="2026-11-03")
    close_and_issue("2026-11")
    november = invoice_of(atlas, "2026-11")
    assert "give-back" in offered(max_, november)

    answer = max_.post(dialog(november, "give-back"), {"reason": "Late measures"}, follow=True)

    assert "Given back: 0.00 EUR of credits; credit notes: A" in answer.content.decode()
    assert invoice_of(atlas, "2026-10").credited_cents == 4_200
    assert not broken_promises()


def test_settle_a_closed_account(max_: Client) -> None:
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 8, 1))
    consume(atlas, quantity=9_000, on="2026-10-03")
    close_and_issue("2026-10")
    assert "settle-account" not in offered(max_, atlas)
    make_grant(organization=atlas, amount_cents=500, reference="FROM-BEFORE")
    Organization.objects.update(closed_on=date(2026, 11, 1))
    close_and_issue("2026-11")
    assert "settle-account" in offered(max_, atlas)

    answer = max_.post(dialog(atlas, "settle-account"), {"reason": "Closed"}, follow=True).content.decode()

    assert "Issued: A" in answer
    assert not broken_promises()


def test_give_back_after_the_account_was_closed(max_: Client) -> None:
    make_metered_price(code="gb", unit="GB", mode="volume", tiers=[(100, "1"), (None, "0.5")])
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 8, 1), closed_on=date(2026, 10, 31))
    consume(atlas, quantity=90, on="2026-10-03", meter="gb")
    close_and_issue("2026-10")
    assert "give-back" not in offered(max_, atlas)
    consume(atlas, quantity=20, on="2026-10-20", meter="gb", at=local("2026-11-05"))
    assert "give-back" in offered(max_, atlas)

    max_.post(dialog(atlas, "give-back"), {"reason": "Late measures"})

    assert invoice_of(atlas, "2026-10").credited_cents == 4_200
    assert "give-back" not in offered(max_, atlas)
    assert not broken_promises()


def test_what_came_back_is_a_movement_between_two_statements(max_: Client) -> None:
    make_metered_price()
    make_metered_price(code="gb", unit="GB", mode="volume", tiers=[(100, "1"), (None, "0.5")])
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 8, 1), forecast_months=0)
    make_grant(organization=atlas, type="free", amount_cents=9_000)
    consume(atlas, quantity=90, on="2026-10-03", meter="gb")
    close_and_issue("2026-10")
    consume(atlas, quantity=20, on="2026-10-20", meter="gb", at=local("2026-11-05"))
    return_lowered_usage(organization_id=atlas.pk, reason="Late", actor=None, at=local("2026-11-20"))
    consume(atlas, quantity=100, on="2026-11-03")
    close_and_issue("2026-11")

    page = max_.get(page_of(invoice_of(atlas, "2026-11"))).context["page"]

    assert [(entry.kind, entry.amount_cents) for entry in page.movements.entries] == [("return", 3_500)]
    assert page.movements.other_cents == 0


def test_only_a_billing_manager_is_offered_any_of_it(october: Invoice) -> None:
    for role in ("Viewer", "Accountant", "Controller", "Auditor"):
        client = desk(role)
        assert not offered(client, october) & {"credit", "cancel-invoice"}
        assert client.post(dialog(october, "cancel-invoice"), {"reason": "x", "credited": "0"}).status_code == 403
    assert stands(october) == ("pending", 0)
