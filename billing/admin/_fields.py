"""Form fields for what the database keeps as integers: people type decimals, nobody rounds.

_cents  682.43 <-> 68243        _micro  0.25 <-> 250_000
_ppm    12.5 % <-> 125_000      _bp     20 %  <-> 2000
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.domain.money import format_cents, parse_cents
from billing.domain.periods import FIRST_YEAR, LAST_YEAR
from billing.domain.quantities import format_micro, format_unit_price, parse_micro, parse_unit_price
from organizations.currencies import check_currency

PPM_PER_PERCENT = 10_000


def check_day(day: date) -> None:
    """Refuse a slip of the finger in a year: months are counted from the first year to the one before the last."""
    if not FIRST_YEAR <= day.year < LAST_YEAR:
        raise ValidationError(
            _("The year %(year)s is out of range: choose a day from %(first)s to %(last)s."),
            params={"year": str(day.year), "first": str(FIRST_YEAR), "last": str(LAST_YEAR - 1)},
        )


class ExactField(forms.CharField):
    """A number typed as text, read by a function of the domain; the reader's own decimal separator will do as well."""

    parse: Callable[[str], Any]
    write: Callable[[Any], str]
    message = _("Write digits, and decimals after a point, such as 682.43.")

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        for unwanted in ("max_value", "min_value", "max_length"):
            kwargs.pop(unwanted, None)
        super().__init__(**kwargs)
        self.widget.attrs["class"] = f"{self.widget.attrs.get('class', '')} desk-figure"

    def to_python(self, value: Any) -> Any:
        """Read what was typed; raises ValidationError with a sentence."""
        text = str(value or "").strip().replace(str(get_format("DECIMAL_SEPARATOR")), ".")
        if not text:
            return None
        try:
            return type(self).parse(text)
        except ValueError as error:
            raise ValidationError(self.message) from error

    def prepare_value(self, value: Any) -> Any:
        """Write the stored number as the reader does; what was typed and refused stays as it is."""
        if value is None or isinstance(value, str):
            return value
        return type(self).write(value).replace(".", str(get_format("DECIMAL_SEPARATOR")))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare numbers, not the ways to write them."""
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class CentsField(ExactField):
    """An amount of at most two decimals."""

    parse = staticmethod(parse_cents)
    write = staticmethod(format_cents)
    message = _("Write an amount of at most two decimals, such as 682.43.")


class MicroField(ExactField):
    """A quantity of at most six decimals."""

    parse = staticmethod(parse_micro)
    write = staticmethod(format_micro)
    message = _("Write a number of at most six decimals and at most 10^12, such as 3600 or 0.25.")


class UnitPriceInput(ExactField):
    """A unit price of at most 15 significant digits, none of which is lost."""

    parse = staticmethod(parse_unit_price)
    write = staticmethod(format_unit_price)
    message = _("Write a price of at most 15 significant digits, such as 0.00229166666666667.")


def _parse_ppm(text: str) -> int:
    ppm, rest = divmod(parse_micro(text), 100)
    if rest or ppm > 100 * PPM_PER_PERCENT:
        raise ValueError(text)
    return ppm


class PercentField(ExactField):
    """A share of at most 100 %, kept in millionths of the whole."""

    parse = staticmethod(_parse_ppm)
    write = staticmethod(lambda ppm: format_micro(ppm * 100))
    message = _("Write a percentage from 0 to 100 of at most four decimals, such as 12.5.")


def _parse_basis_points(text: str) -> int:
    basis_points = parse_cents(text)
    if basis_points > 10_000:
        raise ValueError(text)
    return basis_points


class RateField(ExactField):
    """A VAT rate in percent, kept in basis points."""

    parse = staticmethod(_parse_basis_points)
    write = staticmethod(lambda basis_points: format_micro(basis_points * 10_000))
    message = _("Write a percentage from 0 to 100 of at most two decimals, such as 20 or 8.5.")


FIELD_OF_SUFFIX: dict[str, type[ExactField]] = {
    "_cents": CentsField,
    "_micro": MicroField,
    "_ppm": PercentField,
    "_bp": RateField,
    "unit_price": UnitPriceInput,
}


def field_of(column: str) -> type[ExactField] | None:
    """Return the form field for a column, by the unit that ends its name."""
    return next((field for suffix, field in FIELD_OF_SUFFIX.items() if column.endswith(suffix)), None)


class CurrencyField(forms.CharField):
    """The code of a currency with two decimals."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", capfirst(_("currency")))
        kwargs.setdefault("max_length", 3)
        kwargs.setdefault("initial", "EUR")
        kwargs.setdefault("widget", UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        """Read a code; raises ValidationError for anything but a currency with two decimals."""
        try:
            return check_currency(str(super().clean(value)).strip().upper())
        except ValueError as error:
            raise ValidationError(_("Write the code of a currency with two decimals, such as EUR.")) from error
