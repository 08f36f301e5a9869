"""What the person who runs `verify` sees."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from billing.management.commands.verify import LISTED
from billing.models import CreditGrant, Invoice, NumberSeries
from billing.queries.verification import PROMISES
from billing.queries.verification.anchors import Anchor, broken_anchors, load_anchors, read_anchors
from billing.queries.verification.seals import seals
from billing.usecases._sealing import seal
from tests.builders.credits import make_grant
from tests.builders.guards import guards_lifted
from tests.builders.organizations import make_organization
from tests.builders.platform import make_platform

pytestmark = pytest.mark.django_db


def test_tells_what_was_checked_with_counts() -> None:
    make_platform()
    out = StringIO()

    call_command("verify", stdout=out)

    lines = out.getvalue().splitlines()
    assert "ok      What remains of a grant is the sum of its entries, and never negative. (7 grants)" in lines
    assert lines[-1] == f"promises checked: {len(PROMISES)}, broken things: 0"
    assert [line[:7] for line in lines[len(PROMISES) : -1]] == ["anchor "] * 2  # invoices and credit notes


def test_an_empty_database_breaks_no_promise() -> None:
    assert [broken for promise in PROMISES for broken in promise.find()] == []


def test_names_each_broken_thing_and_fails() -> None:
    grant = make_grant(organization=make_organization(external_id="orga_atlas"), reference="TRIAL", amount_cents=500)
    CreditGrant.objects.filter(pk=grant.pk).update(remaining_cents=400)
    out = StringIO()

    with pytest.raises(SystemExit) as stopped:
        call_command("verify", stdout=out)

    assert stopped.value.code == 1
    assert "BROKEN  What remains of a grant" in out.getvalue()
    assert "        grant TRIAL (orga_atlas): What remains is 4.00, but its entries sum to 5.00.\n" in out.getvalue()
    assert out.getvalue().endswith("broken things: 2\n")  # the ledger's sums do not add up either


def test_long_lists_are_cut_but_counted() -> None:
    atlas = make_organization()
    for _ in range(LISTED + 3):
        make_grant(organization=atlas, type="free")
    CreditGrant.objects.update(currency="USD")
    out = StringIO()

    with pytest.raises(SystemExit):
        call_command("verify", stdout=out)

    assert out.getvalue().count("It is in USD, its organization in EUR.") == LISTED
    assert f"and 3 more, {LISTED + 3} in all" in out.getvalue()


# --- Anchors ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def anchors() -> list[Anchor]:
    """Of the platform as it was: its last invoice and its last credit note."""
    make_platform()
    return load_anchors()


def verify(*arguments: str) -> tuple[str, int]:
    """What it prints, and its exit status."""
    out = StringIO()
    try:
        call_command("verify", *arguments, stdout=out)
    except SystemExit as stopped:
        return out.getvalue(), int(str(stopped.code))
    return out.getvalue(), 0


def test_what_was_written_or_printed_is_found_again(anchors: list[Anchor], tmp_path: Path) -> None:
    printed, _ = verify("--write-anchors", str(tmp_path / "anchors"))
    assert read_anchors(printed.splitlines()) == anchors
    assert read_anchors((tmp_path / "anchors").read_text().splitlines()) == anchors

    text, status = verify("--anchors", str(tmp_path / "anchors"))
    assert "ok      The series contain what was written down before. (2 anchors)" in text
    assert status == 0

    (tmp_path / "anchors").write_text(f"{anchors[0]._replace(number='A-GONE')}\n")
    text, status = verify("--anchors", str(tmp_path / "anchors"))
    assert "A-GONE, which was issued when the anchor was written, is not there." in text
    assert status == 1


def test_clearing_all_hashes_looks_whole_but_not_to_an_anchor(anchors: list[Anchor]) -> None:
    with guards_lifted():
        Invoice.objects.update(content_hash="")
    NumberSeries.objects.update(last_hash="")
    assert list(seals()) == []

    subjects, sentences = zip(*broken_anchors(anchors), strict=True)

    assert subjects[0] == f"series credit_note of legal entity {anchors[0].legal_entity_id}"
    assert sentences[0] == f"{anchors[0].number} has no hash any more: it, or something before it, was changed since."
    assert len(subjects) == 2


def test_a_series_that_was_chained_anew_is_named(anchors: list[Anchor]) -> None:
    invoices = Invoice.objects.filter(document_state="issued", kind="invoice").order_by("counter")
    with guards_lifted(), transaction.atomic():
        invoices.update(note="Not what was issued")
        series = NumberSeries.objects.get(kind="invoice")
        series.last_hash = ""
        seal([invoice.pk for invoice in invoices], series)
    assert list(seals()) == []
    [(_, sentence)] = broken_anchors(anchors)
    assert "has another hash: it, or something before it, was changed since." in sentence


def test_what_is_broken_is_not_written_down(tmp_path: Path) -> None:
    grant = make_grant(organization=make_organization(), amount_cents=500)
    CreditGrant.objects.filter(pk=grant.pk).update(remaining_cents=400)
    assert verify("--write-anchors", str(tmp_path / "anchors"))[1] == 1
    assert not (tmp_path / "anchors").exists()


@pytest.mark.parametrize(
    "text", ["", "nothing of the kind\n", "anchor 12 1 invoice F1\n", "anchor " + "a" * 64 + " 1 bill F1\n"]
)
def test_a_file_without_anchors_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "anchors").write_text(text)
    with pytest.raises(CommandError, match="anchor"):
        call_command("verify", "--anchors", str(tmp_path / "anchors"))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify", "--anchors", str(tmp_path / "missing"))
