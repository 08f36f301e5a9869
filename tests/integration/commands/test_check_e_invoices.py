"""`manage.py check_e_invoices`: what a month that is issued by scripts needs, without a worker."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.documents.e_invoice.validation import CheckerUnavailable
from billing.domain.documents import Document
from billing.domain.e_invoices import Failure
from organizations.models import BillingProfile
from tests.builders.closing import close, consume, issue, make_metered_price
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

VALIDATE = "billing.management.commands.check_e_invoices.validate"


@pytest.fixture(autouse=True)
def _atlas() -> None:
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas")
    BillingProfile.objects.filter(pk=atlas.pk).update(requires_e_invoice=True)
    consume(atlas, quantity=100, on="2026-10-05")
    close("2026-10")


def test_what_is_valid_can_be_issued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VALIDATE, lambda document: ())
    out = StringIO()
    call_command("check_e_invoices", stdout=out)
    assert out.getvalue() == "checked: 1, not valid: 0\n"
    assert issue("2026-10").not_issued == []


def test_what_is_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VALIDATE, lambda document: (Failure("BR-FR-11", "BT-47", "", "buyer_siren"),))
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("check_e_invoices", stdout=out)
    assert out.getvalue().splitlines() == [
        "orga_atlas Atlas, 2026-10: The buyer's SIREN is missing on the billing profile: complete it.",
        "checked: 1, not valid: 1",
    ]


def test_without_the_process_that_validates_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(document: Document) -> tuple[Failure, ...]:
        raise CheckerUnavailable("It does not answer.")

    monkeypatch.setattr(VALIDATE, unavailable)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("check_e_invoices")
