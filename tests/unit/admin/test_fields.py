"""What people type becomes the integers that are kept, digit by digit; anything else is refused with a sentence."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override

from billing.admin._fields import (
    CentsField,
    CurrencyField,
    ExactField,
    MicroField,
    PercentField,
    RateField,
    UnitPriceInput,
    field_of,
)


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        (CentsField, "682.43", 68_243),
        (CentsField, " 682 ", 68_200),
        (MicroField, "0.25", 250_000),
        (MicroField, "3600", 3_600_000_000),
        (PercentField, "12.5", 125_000),
        (PercentField, "100", 1_000_000),
        (RateField, "20", 2_000),
        (RateField, "8.5", 850),
        (UnitPriceInput, "0.00229166666666667", Decimal("0.00229166666666667")),
    ],
)
def test_decimals_are_kept_without_losing_a_digit(field: type[ExactField], typed: str, kept: object) -> None:
    assert field().clean(typed) == kept


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        (CentsField, "1.234"),
        (CentsField, "-1"),
        (CentsField, "1e5"),
        (CentsField, "１２"),
        (CentsField, "1_000"),
        (CentsField, "NaN"),
        (MicroField, "0.1234567"),
        (MicroField, "9" * 14),
        (PercentField, "100.0001"),
        (PercentField, "0.00001"),
        (RateField, "101"),
        (RateField, "8.555"),
        (UnitPriceInput, "1.2345678901234567"),
        (CurrencyField, "JPY"),
        (CurrencyField, "EURO"),
        (CurrencyField, "12"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(field: type[ExactField], typed: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        field().clean(typed)
    assert refusal.value.messages[0].endswith(".") or "at most" in refusal.value.messages[0]


def test_people_type_the_decimal_separator_of_their_language() -> None:
    with override("fr"):
        assert CentsField().clean("682,43") == 68_243
        assert CentsField().prepare_value(68_243) == "682,43"
    with override("en"), pytest.raises(ValidationError):
        CentsField().clean("682,43")


@pytest.mark.parametrize(
    ("field", "kept", "shown"),
    [
        (CentsField, 68_243, "682.43"),
        (MicroField, 250_000, "0.25"),
        (PercentField, 125_000, "12.5"),
        (RateField, 2_000, "20"),
        (UnitPriceInput, Decimal("1.5E-7"), "0.00000015"),
    ],
)
def test_a_form_shows_what_is_kept_as_people_would_type_it(field: type[ExactField], kept: object, shown: str) -> None:
    assert field().prepare_value(kept) == shown


def test_what_was_typed_and_refused_stays_in_the_form() -> None:
    assert CentsField().prepare_value("12,345") == "12,345"


def test_another_way_to_write_the_same_number_is_no_change() -> None:
    assert not CentsField().has_changed(68_240, "682.4")
    assert CentsField().has_changed(68_240, "682.41")
    assert CentsField().has_changed(68_240, "nonsense")


def test_an_empty_optional_field_is_none_and_a_required_one_is_refused() -> None:
    assert CentsField(required=False).clean("") is None
    with pytest.raises(ValidationError):
        CentsField().clean("")


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("amount_cents", CentsField),
        ("unit_price_micro", MicroField),
        ("consumption_discount_ppm", PercentField),
        ("rate_bp", RateField),
        ("unit_price", UnitPriceInput),
        ("name", None),
    ],
)
def test_the_unit_that_ends_a_column_chooses_its_field(column: str, field: object) -> None:
    assert field_of(column) is field
