"""The form of the billing details: fields and labels; what is allowed is for the use case to say."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from billing.queries.billing_details import FIELDS
from organizations.models import BillingProfile
from organizations.usecases.save_organizations import ProfileValues


def _text(label: Any, *, autocomplete: str = "off", help_text: Any = "", length: int = 300) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, required=False, max_length=length, help_text=help_text, widget=widget)


FURTHER_COUNTRIES = (("XI", _("Northern Ireland")), ("XK", _("Kosovo")))
"""Those that the use case knows beside ISO 3166."""


class DetailsForm(forms.Form):
    """To whom and where invoices are made out. Nothing is required here: the use case knows what belongs together."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    is_company = forms.BooleanField(label=_("We are a company or another organization"), required=False)
    company = _text(_("Company name"), autocomplete="organization")
    name = _text(_("Contact name"), autocomplete="name")
    address = _text(_("Address"), autocomplete="street-address", length=500)
    postcode = _text(_("Postcode"), autocomplete="postal-code", length=20)
    city = _text(_("City"), autocomplete="address-level2", length=200)
    country = forms.ChoiceField(
        label=_("Country"), required=False, widget=forms.Select(attrs={"autocomplete": "country"})
    )
    vat_number = _text(
        _("VAT number"), length=50, help_text=_("Its form and check digits are checked, not whether it is registered.")
    )
    siren = _text(_("SIREN or SIRET"), length=30, help_text=_("Of French companies: 9 or 14 digits."))
    email = _text(_("E-mail address for invoices"), autocomplete="email", length=254)
    language = forms.ChoiceField(label=_("Language of invoices"), choices=BillingProfile.Language.choices)
    purchase_order = _text(_("Purchase order"), length=100, help_text=_("Printed on every invoice."))
    cost_center = _text(_("Cost center"), length=100)
    electronic_address = _text(
        _("Electronic address"), length=125, help_text=_("Where e-invoices are delivered, if you receive any.")
    )
    electronic_scheme = _text(
        _("Kind of electronic address"),
        length=4,
        help_text=_("A code: 0225 for a French address, 9957 for a VAT number."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country = self.fields["country"]
        assert isinstance(country, forms.ChoiceField)  # noqa: S101  # for the type checker
        country.choices = [("", "–"), *countries, *FURTHER_COUNTRIES]
        for name, field in self.fields.items():
            if name in self.errors:
                field.widget.attrs["aria-invalid"] = "true"

    def values(self) -> ProfileValues:
        """What was filled in."""
        return ProfileValues(**{name: self.cleaned_data[name] for name in FIELDS})

    def refuse(self, errors: Mapping[str, str]) -> None:
        """Show the use case's sentences at their fields."""
        for name, sentence in errors.items():
            self.add_error(name, sentence)
            self.fields[name].widget.attrs["aria-invalid"] = "true"
