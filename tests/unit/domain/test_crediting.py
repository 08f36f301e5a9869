"""What credit notes take back: never more than a line, a VAT rate or an invoice has left, and in the end exactly it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.crediting import CreditableLine, CreditableRate, Credited, TooMuchCredited, credit, everything_left
from billing.domain.money import vat_cents

FRENCH = ("S", 2000)
REUNION = ("S", 850)


def rate_of(lines: Sequence[CreditableLine], rate: tuple[str, int] = FRENCH, **credited: int) -> CreditableRate:
    """The tax subtotal that an invoice with these lines has."""
    base_cents = sum(line.net_cents for line in lines if line.rate == rate)
    return CreditableRate(rate, base_cents, vat_cents(base_cents, rate[1]), **credited)  # type: ignore[arg-type]


def line(id_: int, net_cents: int, rate: tuple[str, int] = FRENCH, credited_cents: int = 0) -> CreditableLine:
    return CreditableLine(id_, net_cents, rate, credited_cents)  # type: ignore[arg-type]  # given by the test


def after(
    lines: Sequence[CreditableLine], rates: Sequence[CreditableRate], note: Credited
) -> tuple[list[CreditableLine], list[CreditableRate]]:
    """The invoice once the credit note is issued."""
    taken = dict(note.lines)
    subtotals = {(tax.category, tax.rate_bp): tax for tax in note.tax_subtotals}
    return (
        [CreditableLine(row.id, row.net_cents, row.rate, row.credited_cents + taken.get(row.id, 0)) for row in lines],
        [
            CreditableRate(
                row.rate,
                row.base_cents,
                row.vat_cents,
                row.credited_base_cents + (subtotals[row.rate].base_cents if row.rate in subtotals else 0),
                row.credited_vat_cents + (subtotals[row.rate].vat_cents if row.rate in subtotals else 0),
            )
            for row in rates
        ],
    )


@st.composite
def invoices(draw: st.DrawFn) -> tuple[list[CreditableLine], list[CreditableRate]]:
    """Lines at up to two rates, some with a discount that stays below what it discounts."""
    lines = []
    for id_ in range(draw(st.integers(1, 6))):
        rate = draw(st.sampled_from([FRENCH, REUNION]))
        net_cents = draw(st.integers(1, 1_000_000))
        lines.append(line(2 * id_, net_cents, rate))
        if draw(st.booleans()):
            lines.append(line(2 * id_ + 1, -draw(st.integers(1, net_cents)), rate))
    rates = [rate_of(lines, rate) for rate in (FRENCH, REUNION) if any(row.rate == rate for row in lines)]
    return lines, rates


@given(invoices(), st.data())
def test_however_it_is_taken_apart_the_whole_comes_back_and_not_a_cent_more(
    invoice: tuple[list[CreditableLine], list[CreditableRate]], data: st.DataObject
) -> None:
    lines, rates = invoice
    total_cents = sum(row.base_cents + row.vat_cents for row in rates)
    given_back_cents = 0
    for _ in range(3):
        wanted = {
            row.id: data.draw(st.integers(*sorted((0, row.left_cents))), label=f"of {row.left_cents}") for row in lines
        }
        try:
            note = credit(lines, rates, wanted)
        except TooMuchCredited:
            continue
        given_back_cents += note.subtotal_cents + note.vat_cents
        lines, rates = after(lines, rates, note)
        assert all(0 <= row.credited_vat_cents <= row.vat_cents for row in rates)
    rest = credit(lines, rates, everything_left(lines))
    assert given_back_cents + rest.subtotal_cents + rest.vat_cents == total_cents


@given(invoices())
def test_a_full_credit_note_mirrors_its_invoice(
    invoice: tuple[list[CreditableLine], list[CreditableRate]],
) -> None:
    lines, rates = invoice
    note = credit(lines, rates, everything_left(lines))
    assert note.lines == tuple((row.id, row.net_cents) for row in lines)
    assert [(tax.base_cents, tax.vat_cents) for tax in note.tax_subtotals] == [
        (row.base_cents, row.vat_cents) for row in rates
    ]


def test_the_last_part_takes_the_vat_that_is_left() -> None:
    # 0.03 x 20 % = 0.006 -> 0.01 of VAT. In parts: 0.01 -> 0.002 -> 0.00, 0.02 -> 0.004 -> 0.00; yet 0.01 was billed.
    lines = [line(1, 3)]
    first = credit(lines, [rate_of(lines)], {1: 1})
    assert (first.subtotal_cents, first.vat_cents) == (1, 0)
    rest = credit(*after(lines, [rate_of(lines)], first), {1: 2})
    assert (rest.subtotal_cents, rest.vat_cents) == (2, 1)


def test_parts_never_give_back_more_vat_than_was_billed() -> None:
    # 0.05 x 20 % = 0.01 of VAT; 0.03 -> 0.006 -> 0.01; then 0.02 -> nothing is left of it.
    lines = [line(1, 5)]
    first = credit(lines, [rate_of(lines)], {1: 3})
    assert first.vat_cents == 1
    assert credit(*after(lines, [rate_of(lines)], first), {1: 2}).vat_cents == 0


@pytest.mark.parametrize("cents", [101, -1])
def test_no_more_than_is_left_of_a_line(cents: int) -> None:
    lines = [line(1, 150, credited_cents=50)]
    with pytest.raises(TooMuchCredited, match=r"of which 1\.00 are left"):
        credit(lines, [rate_of(lines, credited_base_cents=50, credited_vat_cents=10)], {1: cents})


def test_a_discounted_line_is_not_credited_at_its_full_price() -> None:
    lines = [line(1, 10_000), line(2, -2_000)]
    with pytest.raises(TooMuchCredited, match=r"80\.00 are left of what was billed at that rate"):
        credit(lines, [rate_of(lines)], {1: 10_000})
    note = credit(lines, [rate_of(lines)], {1: 10_000, 2: -2_000})
    assert (note.subtotal_cents, note.vat_cents) == (8_000, 1_600)


def test_an_invoice_that_cost_nothing_is_credited_by_a_document_of_nothing() -> None:
    note = credit([], [CreditableRate(("AE", 0), 0, 0)], {})
    assert (note.lines, note.subtotal_cents, note.vat_cents) == ((), 0, 0)
    assert [(tax.category, tax.base_cents) for tax in note.tax_subtotals] == [("AE", 0)]
