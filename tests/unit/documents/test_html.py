"""An invoice as HTML: all that the PDF says, in pages when it is long, and nothing that a browser would run."""

import re
from html import unescape

import pytest
from django.test import override_settings
from msgspec import Struct, structs

from billing.documents.html import DETAILS_PER_PAGE, code_svg, how_to_pay, html_document
from billing.documents.printing import print_document
from billing.domain.documents import Document, OrganizationUsage, ResourceUsage
from tests.builders.documents import make_credit_note, make_document, make_usage, make_usage_line

MARKUP = '<b onclick="x">& "quoted"'


def texts(value: object) -> list[str]:
    """Every text of a value, however deep."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for each in value for text in texts(each)]
    if isinstance(value, Struct):
        return [text for name in value.__struct_fields__ for text in texts(getattr(value, name))]
    return []


def readable(page: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", page))


def long_document(lines: int, *, resources: int = 1) -> Document:
    """A document with that many lines of usage of 0.01 each."""
    per_resource = lines // resources
    line = structs.replace(make_usage_line(), amount_cents=1)
    usage = OrganizationUsage(
        "orga_atlas",
        "Atlas",
        tuple(ResourceUsage(f"app_{at}", f"api-{at}", (line,) * per_resource) for at in range(resources)),
    )
    return structs.replace(make_document(), usage=(usage,), usage_discount_cents=0, fees_cents=lines)


@pytest.mark.parametrize("document", [make_document(), make_credit_note()], ids=["invoice", "credit note"])
def test_it_says_all_that_the_pdf_says(document: Document) -> None:
    shown = html_document(document)
    page = readable(shown.page)
    printed = print_document(document)
    code = printed.payment.transfer_code if printed.payment else ""
    # One rate of VAT is its own sum; a note that there is none of has no heading.
    left_out = {printed.vat.label, printed.note_heading, printed.page_label, printed.language, printed.kind, code}
    kinds = {row.kind for row in printed.lines.rows}
    if printed.usage and not printed.usage.summary:
        left_out |= {printed.usage.summary_heading, *printed.usage.summary_columns}
    empty = {printed.lines.empty} if printed.lines.rows else set()
    missing = [text for text in texts(printed) if text not in page and text not in left_out | kinds | empty]
    assert not missing


@pytest.mark.parametrize("language", ["fr", "en"])
def test_it_names_its_language(language: str) -> None:
    assert f'<html lang="{language}">' in html_document(make_document(), language=language).page  # type: ignore[arg-type]


def test_markup_prints_as_text() -> None:
    document = make_document()
    usage = OrganizationUsage(MARKUP, MARKUP, (ResourceUsage(MARKUP, MARKUP, (make_usage_line(),)),))
    document = structs.replace(
        document,
        number=MARKUP,
        note=MARKUP,
        buyer=structs.replace(document.buyer, company=MARKUP, name=MARKUP, address=MARKUP, organization_name=MARKUP),
        seller=structs.replace(document.seller, name=MARKUP, legal_mentions=MARKUP),
        lines=tuple(structs.replace(line, kind="one_shot", name=MARKUP) for line in document.lines),
        usage=(usage, make_usage()),
    )
    page = html_document(document).page
    assert "<b " not in page
    assert "onclick=&quot;x&quot;" in page


def test_it_runs_and_styles_nothing_inline() -> None:
    page = html_document(make_document()).page
    assert "<script" not in page
    assert "<style" not in page
    assert " style=" not in page


def test_a_logo_is_an_image_that_runs_nothing() -> None:
    document = make_document()
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    page = html_document(structs.replace(document, seller=structs.replace(document.seller, logo=svg))).page
    assert '<img src="data:image/svg+xml;base64,' in page
    assert "<script" not in page


def test_a_page_around_it_may_say_how_to_pay() -> None:
    shown = html_document(make_document())
    heading = print_document(make_document()).payment.heading  # type: ignore[union-attr]
    assert heading in shown.body
    assert heading not in shown.body_without_payment


class TestLongDocuments:
    """Thousands of lines come page by page; the sums are those of the whole."""

    @pytest.mark.parametrize("resources", [1, 1_000], ids=["one resource", "many"])
    def test_a_page_has_some_lines_and_the_sums_of_all(self, resources: int) -> None:
        shown = html_document(long_document(5_000, resources=resources), details_page=2)
        assert shown.printed.usage is not None
        (organization,) = shown.printed.usage.organizations
        assert sum(len(resource.rows) for resource in organization.resources) == DETAILS_PER_PAGE
        assert organization.amount == "50.00"
        assert {resource.amount for resource in organization.resources} == {"50.00" if resources == 1 else "0.05"}
        assert shown.printed.usage.totals[-1].amount == "50.00"
        assert "Page 2 of 25" in readable(shown.body)

    @pytest.mark.parametrize(("asked", "given"), [("1", 1), ("x", 1), ("", 1), ("-3", 25), ("999", 25), (25, 25)])
    def test_any_page_may_be_asked_for(self, asked: str, given: int) -> None:
        details = html_document(long_document(5_000, resources=10), details_page=asked).details
        assert details is not None
        assert details.number == given

    def test_all_pages_together_have_every_line_once(self) -> None:
        document = long_document(603, resources=9)
        rows = 0
        for number in (1, 2, 3, 4):
            usage = html_document(document, details_page=number).printed.usage
            assert usage is not None
            rows += sum(len(resource.rows) for each in usage.organizations for resource in each.resources)
        assert rows == 603

    def test_groups_and_their_summary_stay(self) -> None:
        document = long_document(400, resources=4)
        sub = structs.replace(document.usage[0], external_id="orga_lab", name="Labs")
        shown = html_document(structs.replace(document, usage=(*document.usage, sub)), details_page=1)
        assert shown.printed.usage is not None
        assert [field.value for field in shown.printed.usage.summary] == ["4.00", "4.00"]
        assert [each.name for each in shown.printed.usage.organizations] == ["Atlas"]

    def test_a_short_one_has_no_pages(self) -> None:
        assert html_document(make_document(), details_page=1).details is None
        assert html_document(long_document(5_000)).details is None


def test_what_is_left_is_what_is_asked_for() -> None:
    document = make_document()
    pay = how_to_pay(document, left_cents=1_234, language="en")
    assert pay is not None
    assert "€12.34" in pay.payment.sentence
    assert "EUR12.34" in pay.payment.transfer_code
    assert str(pay.code).startswith("<svg")
    assert how_to_pay(document, left_cents=0, language="en") is None
    assert code_svg("") == ""


@override_settings(LANGUAGE_CODE="fr")
def test_a_language_that_is_active_does_not_mix_in() -> None:
    page = readable(html_document(make_document(), language="en").page)
    assert "Amount to pay" in page
