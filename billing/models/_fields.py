"""Column types that keep every digit on every database."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from billing.domain.quantities import format_unit_price, parse_unit_price

if TYPE_CHECKING:
    _Text = models.CharField[Decimal, Decimal]
else:
    _Text = models.CharField


class UnitPriceField(_Text):
    """An exact unit price of at most 15 significant digits, kept as text: SQLite would store a decimal as a float.

    Nothing ever computes with it in SQL.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, *_: object) -> Decimal | None:
        """Read the stored text."""
        return None if value is None else Decimal(value)

    def to_python(self, value: object) -> Decimal | None:
        """Read what a person or a program gives; raises ``ValidationError`` with a sentence."""
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return parse_unit_price(str(value))
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def get_prep_value(self, value: object) -> str | None:
        """Write plain digits."""
        price = self.to_python(value)
        return None if price is None else format_unit_price(price)

    def run_validators(self, value: Any) -> None:
        """Check the length of the text that is stored, not of the number."""
        super().run_validators(self.get_prep_value(value))

    def value_to_string(self, obj: models.Model) -> str:
        """Plain digits for fixtures."""
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        """A text input: a browser's number input would round long prices."""
        return super().formfield(**{"form_class": forms.CharField, **kwargs})
