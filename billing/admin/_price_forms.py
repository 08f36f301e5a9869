"""The forms of a price version: what is typed goes to a use case together with its tiers."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSingleDateWidget

from billing.admin._fields import CurrencyField
from billing.domain.periods import FIRST_YEAR, LAST_YEAR
from billing.domain.pricing import InvalidPrice, Tier
from billing.models import Price, PriceTier
from billing.queries.months import local_day, midnight
from billing.usecases.correct_price import correct_price
from billing.usecases.set_price import PriceKey, PriceTerms, set_price

# Where a form leaves what was typed, for the tiers beside it; None when it could not be read.
TYPED = "typed_at_the_desk"

HELP_TEXTS = {
    "per_quantity_micro": _("In the meter's unit: 3600 prices an hour of a meter in seconds, 1 a single GB or user."),
    "package_micro": _("Quantities are rounded up to whole packages of this size. Empty: they are not."),
}


class MidnightField(forms.DateField):
    """A day, kept as its first instant where the legal entity is."""

    widget = UnfoldAdminSingleDateWidget

    def clean(self, value: Any) -> Any:
        """Read the day; raises ValidationError for what is none."""
        day: date | None = super().clean(value)
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValidationError(
                _("Choose a day of the years %(first)d to %(last)d.") % {"first": FIRST_YEAR, "last": LAST_YEAR}
            )
        return None if day is None else midnight(day)

    def prepare_value(self, value: Any) -> Any:
        """Write the day of a stored instant."""
        return local_day(value) if isinstance(value, datetime) else value


class PriceForm(forms.ModelForm[Price]):
    """What a version prices, from when on, and how. Its tiers are typed beside it, so they are what stores it."""

    currency = CurrencyField()
    valid_from = MidnightField(
        label=capfirst(_("valid from")),
        required=False,
        help_text=_("From the beginning of that day; the version before ends there. Empty: from ever."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, help_text in HELP_TEXTS.items():
            if name in self.fields:
                self.fields[name].help_text = help_text

    class Meta:
        model = Price
        fields = ["meter", "zone", "organization", "per_quantity_micro", "package_micro", "mode", "bounds_per_hour"]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # ModelForm's own step
        setattr(self.instance, TYPED, None if self.errors else self.cleaned_data)

    def validate_constraints(self) -> None:
        """The use case refuses with a sentence what the database would refuse with the name of a constraint."""


class TierFormSet(forms.BaseInlineFormSet[PriceTier, Price, forms.ModelForm[PriceTier]]):
    """The tiers of a version. As the last step of validation they set or correct the price, or say why they cannot."""

    def clean(self) -> None:
        """Store the version when everything typed can be read."""
        super().clean()
        typed: dict[str, Any] | None = getattr(self.instance, TYPED, None)
        if any(self.errors) or typed is None:
            return
        try:
            self.instance.pk = self._store(typed)
        except InvalidPrice as error:
            raise ValidationError(gettext(str(error))) from error

    def save(self, commit: bool = True) -> list[PriceTier]:
        """The use case has written the tiers."""
        self.new_objects: list[PriceTier] = []
        self.changed_objects: list[Any] = []
        self.deleted_objects: list[PriceTier] = []
        return []

    def _store(self, typed: dict[str, Any]) -> int:
        terms = PriceTerms(
            per_quantity_micro=typed["per_quantity_micro"],
            tiers=tuple(self._tiers()),
            package_micro=typed["package_micro"],
            mode="volume" if typed["mode"] == Price.Mode.VOLUME else "graduated",
            bounds_per_hour=typed["bounds_per_hour"],
        )
        if not self.instance._state.adding:
            return correct_price(price_id=self.instance.pk, terms=terms).pk
        organization = typed["organization"]
        key = PriceKey(
            meter_id=typed["meter"].pk,
            zone=typed["zone"].strip(),
            currency=typed["currency"],
            organization_id=organization.pk if organization else None,
        )
        return set_price(key=key, valid_from=typed["valid_from"], terms=terms).price.pk

    def _tiers(self) -> list[Tier]:
        """In the order of their bounds; the open one last."""
        kept = [form.cleaned_data for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        tiers = [Tier(row["up_to_micro"], row["unit_price"]) for row in kept]
        return sorted(tiers, key=lambda tier: (tier.up_to_micro is None, tier.up_to_micro or 0))
