"""The PDF: what a reader, a screen reader, an archive and a machine find in it."""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf
import pytest
from facturx import get_facturx_xml_from_pdf
from msgspec import structs
from pypdf import PdfReader

from billing.documents.rendering import preview, render
from billing.domain.documents import Document, Mention, Rendered, UsageLine
from billing.domain.statement import CreditStatement
from tests.builders.documents import (
    BUYER,
    NOVEMBER,
    OCTOBER,
    SELLER,
    make_credit_note,
    make_document,
    make_line,
    make_usage,
    make_usage_line,
)


def _pages(pdf: bytes) -> list[str]:
    return [page.extract_text().replace("\xa0", " ") for page in PdfReader(io.BytesIO(pdf)).pages]


def _text(document: Document) -> str:
    return "\n".join(_pages(preview(document)))


def _usage_lines(count: int) -> Iterator[UsageLine]:
    return (make_usage_line(meter_name=f"Meter {index}", amount_cents=index) for index in range(count))


def test_what_is_copied_from_it_is_what_was_meant() -> None:
    identifier, email = "orga_3fca2fde-1b4a-4c5e-9d3e-000011112222", "facturation-clients@nuage-clair.example"
    seller, buyer = structs.replace(SELLER, email=email), structs.replace(BUYER, organization=identifier)
    text = _text(make_document(seller=seller, buyer=buyer))
    assert "\u200b" not in text
    assert identifier in text.replace("\n", "")
    assert email in text.replace("\n", "")


@pytest.fixture(scope="module")
def rendered() -> Rendered:
    return render(make_document())


def test_rendering_twice_gives_the_same_bytes(rendered: Rendered) -> None:
    assert render(make_document()) == rendered


def test_it_says_that_it_is_for_archives_and_for_everybody(rendered: Rendered) -> None:
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf:
        metadata = pdf.Root.Metadata.read_bytes().decode()
        assert pdf.check_pdf_syntax() == []
        assert "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in metadata
        assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert str(pdf.Root.Lang) == "en"
        assert str(pdf.docinfo.Title) == "Invoice F20261102-000042 · Nuage Clair SAS"
        assert str(pdf.docinfo.Author) == "Nuage Clair SAS"
        assert str(pdf.docinfo.CreationDate) == "D:20261102000000Z"
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert all(page.Tabs == "/S" and page.StructParents is not None for page in pdf.pages)


def test_every_font_is_embedded_and_can_be_read_aloud(rendered: Rendered) -> None:
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf:
        fonts = {str(font.BaseFont): font for page in pdf.pages for font in page.Resources.Font.values()}
        assert {name.partition("+")[2] for name in fonts} == {"Inter-Regular", "Inter-SemiBold"}
        for font in fonts.values():
            assert font.ToUnicode is not None
            assert font.DescendantFonts[0].FontDescriptor.FontFile2 is not None


def test_its_structure_has_headings_tables_with_heads_and_a_described_picture(rendered: Rendered) -> None:
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf:
        elements = list(_elements(pdf.Root.StructTreeRoot))
    kinds = [str(element.S) for element in elements]
    pictures = [element for element in elements if element.S == "/Figure"]

    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") == 5  # summary, how to pay, legal notes, credit statement, usage details
    assert kinds.count("/Table") == kinds.count("/THead") == 3
    assert [str(picture.Alt) for picture in pictures] == [
        "Scan this code with your bank's app to fill in the transfer."
    ]


def _elements(node: pikepdf.Object) -> Iterator[pikepdf.Object]:
    children: Any = node.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield child
            yield from _elements(child)


def test_the_e_invoice_is_inside_and_declared(rendered: Rendered) -> None:
    name, xml = get_facturx_xml_from_pdf(io.BytesIO(rendered.pdf))
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf:
        metadata = pdf.Root.Metadata.read_bytes().decode()
        attached = pdf.Root.AF[0]
        assert attached.AFRelationship == "/Alternative"
        assert attached.EF.F.Subtype == "/text/xml"

    assert (name, xml) == ("factur-x.xml", rendered.xml)
    for declared in (
        "<fx:DocumentType>INVOICE<",
        "<fx:DocumentFileName>factur-x.xml<",
        "<fx:Version>1.0<",
        "<fx:ConformanceLevel>EN 16931<",
        "<pdfaSchema:prefix>fx<",
    ):
        assert metadata.count(declared) == 1


def test_the_published_example_on_paper() -> None:
    pages = _pages(preview(make_document(lines=[make_line(category="O", rate_bp=0)])))

    for figure in ("Invoice F20261102-000042", "Amount to pay\n€682.43", "Due on 2 December 2026"):
        assert figure in pages[0]
    for figure in ("691.35", "−686.89", "682.43", "686.89", "−4.46", "Fees (consumption U)", "28d 14h 53m 24s"):
        assert figure in pages[1]
    assert all(f"Page {number}/{len(pages)}" in page for number, page in enumerate(pages, start=1))


def test_the_published_example_with_sub_organizations_on_paper() -> None:
    """20.00 of credits, 114.63 consumed by two sub-organizations: 94.63 to pay before VAT."""
    lines = [make_line(kind="regularization", period_start=OCTOBER, period_end=NOVEMBER, net_cents=94_63)]
    usage = (
        make_usage(make_usage_line(amount_cents=14_63), external_id="orga_blog", name="Atlas Blog"),
        make_usage(make_usage_line(amount_cents=100_00), external_id="orga_shop", name="Atlas Shop"),
    )
    statement = CreditStatement(0, 20_00, 0, 0, -20_00, -114_63, 0, 0)
    text = " ".join(_text(make_document(lines=lines, statement=statement, usage=usage, fees_cents=114_63)).split())

    for figure in ("Regularization, October 2026 1 94.63", "−20.00", "−114.63", "Atlas Shop 100.00", "€113.56"):
        assert figure in text
    assert text.index("Fees per organization") < text.index("Atlas Blog 14.63") < text.rindex("114.63")


def test_table_heads_are_repeated_on_every_page() -> None:
    lines = [make_line(position=index, kind="one_shot", name=f"Job {index}") for index in range(60)]
    pages = _pages(preview(make_document(lines=lines, statement=None, usage=())))

    assert len(pages) >= 3
    assert all("Net amount" in page for page in pages if "Job" in page)


def test_usage_over_many_pages_repeats_its_head() -> None:
    pages = _pages(preview(make_document(usage=(make_usage(*_usage_lines(120)),))))

    details = [page for page in pages if "Meter 1" in page]
    assert len(details) >= 3
    assert all("Unit price" in page for page in details)
    assert "Meter 119" in details[-1]


@pytest.mark.long
def test_five_thousand_details() -> None:
    pages = _pages(preview(make_document(usage=(make_usage(*_usage_lines(5_000)),))))

    assert "Meter 4999" in pages[-1]


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("ABC", "ABC"),
        ("Zażółć gęślą jaźń", "Zażółć gęślą jaźń"),
        ("Ελληνική Εταιρεία", "Ελληνική Εταιρεία"),
        ("Облако", "Облако"),
        ("Atlas 🎉 会社", "Atlas □ □□"),
        ("Atlas/\u05b0 \u064b<\u0651>", "Atlas/ <>"),
        ("#panic[x] *b* $x$ <b> \\ @a", "#panic[x] *b* $x$ <b> \\ @a"),
        ("line\nbreak \x07 \ud800 \ue000 end", "□ □ end"),
    ],
)
def test_any_name_is_printed_and_none_blocks(name: str, printed: str) -> None:
    text = _text(make_document(buyer=structs.replace(BUYER, company=name), statement=None, usage=()))

    assert printed in " ".join(text.split())


def test_arabic_and_hebrew_have_fonts() -> None:
    buyer = structs.replace(BUYER, company="شركة أطلس", name="חברה")
    text = _text(make_document(buyer=buyer, statement=None, usage=()))

    assert "□" not in text


def test_a_name_of_200_letters_stays_on_the_paper() -> None:
    company = "W" * 200
    pdf = preview(make_document(buyer=structs.replace(BUYER, company=company), statement=None, usage=()))
    reader = PdfReader(io.BytesIO(pdf))
    text = reader.pages[0].extract_text()

    assert text.count("W") == 200
    assert max(line.count("W") for line in text.splitlines()) < 30


@pytest.mark.parametrize("company", ["W" * 300, "Société coopérative " * 15])
def test_long_names_stay_on_the_paper_in_the_head_and_foot_of_a_page(company: str) -> None:
    buyer = structs.replace(BUYER, company=company)
    seller = structs.replace(SELLER, name="W" * 200, legal_mentions="Mention légale " * 33)
    heights: list[float] = []
    reader = PdfReader(io.BytesIO(preview(make_document(buyer=buyer, seller=seller))))
    for page in reader.pages:
        page.extract_text(
            visitor_text=lambda text, ctm, matrix, *_font: (
                heights.append(ctm[3] * matrix[5] + ctm[5]) if text.strip() else None
            )
        )

    assert min(heights) > 10
    assert max(heights) < 842 - 10
    assert "…" in reader.pages[1].extract_text()


def test_an_organization_whose_name_nobody_can_see_blocks_nothing() -> None:
    usage = (make_usage(), make_usage(name="\u200f\u2066", external_id="orga_unseen"))

    assert "□" in _text(make_document(usage=usage))


def test_a_typical_invoice_has_its_summary_on_page_one() -> None:
    lines = [make_line(position=index, kind="add_on", name=f"Add-on {index}") for index in range(9)]
    mentions = tuple(
        Mention(code, "Somebody who is late owes something, says the law. " * 4) for code in ("PMT", "PMD")
    )
    buyer = structs.replace(BUYER, language="fr", purchase_order="PO-1", cost_center="IT")
    pages = _pages(preview(make_document(lines=lines, mentions=mentions, buyer=buyer)))

    assert " ".join(pages[0].split()).count("says the law") == 8
    assert "Relevé de crédits" in pages[1]


def test_what_does_not_fit_on_page_one_leaves_no_page_half_empty() -> None:
    lines = [make_line(position=index, kind="one_shot", name=f"Job {index}") for index in range(12)]
    pages = _pages(preview(make_document(lines=lines)))

    assert "How to pay" in pages[1]
    assert "Credit statement" in pages[1]


def test_vat_of_several_rates_is_summed_up() -> None:
    lines = [make_line(), make_line(position=2, rate_bp=8_50)]

    assert "Total VAT 194.50" in " ".join(_text(make_document(lines=lines)).split())
    assert "Total VAT" not in _text(make_document())


def test_a_draft_is_marked_on_every_page() -> None:
    pages = _pages(preview(make_document(number=None, issue_date=None)))

    assert all("Draft" in page for page in pages)
    assert "How to pay" not in pages[0]


def test_a_credit_note_asks_for_nothing() -> None:
    text = _text(make_credit_note())

    assert "Credit note A20261110-000003" in text
    assert "Corrects invoice F20261102-000042 of 2 November 2026." in text
    assert "pay" not in text.lower().replace("late payment", "")


def test_a_transfer_code_is_drawn_only_when_one_can_pay_with_it() -> None:
    without = preview(make_document(seller=structs.replace(SELLER, iban="")))
    with pikepdf.open(io.BytesIO(without)) as pdf:
        assert "/Figure" not in [str(element.S) for element in _elements(pdf.Root.StructTreeRoot)]


def test_sub_organizations_are_summed_up_before_their_details() -> None:
    labs = make_usage(make_usage_line(amount_cents=14_63), external_id="orga_labs", name="Atlas Labs")
    text = _text(make_document(usage=(make_usage(), labs)))

    assert text.index("Fees per organization") < text.index("14.63") < text.rindex("Atlas Labs")


def test_french_readers_get_french_figures() -> None:
    text = _text(make_document(buyer=structs.replace(BUYER, language="fr")))

    assert "818,92 €" in text
    assert "−686,89" in text
