"""Who invoices: the legal entity, the VAT rates of the places it sells to, the numbers of its documents."""

from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from billing import formatting
from billing.admin import _displays as displays
from billing.admin._base import BillingAdmin
from billing.documents.pdf.logos import MAX_BYTES, LogoRefused, checked_logo
from billing.domain.numbering import InvalidTemplate, check_template, render_number
from billing.domain.quantities import format_micro
from billing.models import ExchangeRate, Invoice, LegalEntity, LegalText, NumberSeries, TaxRate
from billing.queries.legal_texts import EURO
from billing.usecases.set_logo import set_logo
from organizations.currencies import check_currency
from organizations.models import User


class LegalEntityForm(forms.ModelForm[LegalEntity]):
    """The logo is tried before it is kept, as all documents are printed with it."""

    new_logo = forms.FileField(
        label=_("logo"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("SVG or PNG, printed at the head of every document instead of the name."),
    )
    remove_logo = forms.BooleanField(
        label=_("print the name instead of the logo"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def clean_new_logo(self) -> str:
        """Raise what is wrong with the image."""
        uploaded = self.cleaned_data["new_logo"]
        if not uploaded:
            return ""
        try:
            return checked_logo(uploaded.read(MAX_BYTES + 1))
        except LogoRefused as error:
            raise ValidationError(str(error)) from error


@admin.register(LegalEntity)
class LegalEntityAdmin(BillingAdmin[LegalEntity]):
    """One seller, made by `migrate`, to be completed."""

    form = LegalEntityForm
    list_display = ["name", "city", "country", "vat_number", "over_oss_threshold"]
    search_fields = ["name"]
    fieldsets = [
        (None, {"fields": ["name", "address", ("postcode", "city"), "country", ("email", "phone"), "legal_mentions"]}),
        (_("Logo"), {"fields": ["new_logo", "remove_logo"]}),
        (_("Tax"), {"fields": [("vat_number", "siren"), "over_oss_threshold", "vat_on_debits"]}),
        (_("Payment"), {"fields": [("iban", "bic")]}),
        (_("E-invoices"), {"fields": [("electronic_address", "electronic_scheme")]}),
    ]

    def save_model(self, request: HttpRequest, obj: LegalEntity, form: Any, change: bool) -> None:
        """Keep the logo too, if another one was chosen or none is wanted."""
        super().save_model(request, obj, form, change)
        logo, removed = form.cleaned_data["new_logo"], form.cleaned_data["remove_logo"]
        if logo or removed:
            set_logo(legal_entity=obj, svg=logo, actor=cast(User, request.user))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Every organization is invoiced by the one there is."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LegalEntity | None = None) -> bool:
        """Its invoices name it."""
        return False


class TaxRateForm(forms.ModelForm[TaxRate]):
    """Rates are found by territory in capitals."""

    def clean_territory(self) -> str:
        """Two letters, such as FR, DE or RE."""
        territory = str(self.cleaned_data["territory"]).strip().upper()
        if len(territory) != 2 or not territory.isascii() or not territory.isalpha():
            raise ValidationError(_("A territory is a code of two letters, such as FR, DE or RE."))
        return territory

    def clean_valid_from(self) -> date:
        """Issued invoices keep their rate; a day before them would only contradict them."""
        valid_from: date = self.cleaned_data["valid_from"]
        if "valid_from" in self.changed_data and is_invoiced_since(valid_from):
            raise ValidationError(_("Invoices are issued since that day: choose a later day."))
        return valid_from


def is_invoiced_since(day: date) -> bool:
    """Whether some invoice was issued on a day or after it."""
    return Invoice.objects.filter(issue_date__gte=day).exists()


@admin.register(TaxRate)
class TaxRateAdmin(BillingAdmin[TaxRate]):
    """A rate is not edited once invoices were issued under it: a new one is added from its day on."""

    form = TaxRateForm
    list_display = ["territory", displays.plain_column("rate_bp", _("VAT rate"), formatting.format_rate), "valid_from"]
    search_fields = ["territory"]
    search_help_text = _("Code of the territory, such as FR")
    date_hierarchy = "valid_from"
    fields = ["territory", "rate_bp", "valid_from"]

    def has_change_permission(self, request: HttpRequest, obj: TaxRate | None = None) -> bool:
        """Rates under which invoices were issued stay."""
        return super().has_change_permission(request, obj) and (obj is None or not is_invoiced_since(obj.valid_from))

    def has_delete_permission(self, request: HttpRequest, obj: TaxRate | None = None) -> bool:
        """Rates under which invoices were issued stay."""
        return super().has_delete_permission(request, obj) and obj is not None and not is_invoiced_since(obj.valid_from)


class LegalTextForm(forms.ModelForm[LegalText]):
    """Issued documents keep their texts: a new one counts from a later day on."""

    def clean_valid_from(self) -> date:
        """A day before issued documents would only contradict them."""
        valid_from: date = self.cleaned_data["valid_from"]
        if "valid_from" in self.changed_data and is_invoiced_since(valid_from):
            raise ValidationError(_("Invoices are issued since that day: choose a later day."))
        return valid_from


@admin.register(LegalText)
class LegalTextAdmin(BillingAdmin[LegalText]):
    """A text is not edited once invoices were issued under it: a new one is added from its day on."""

    form = LegalTextForm
    list_display = ["code", "language", "text", "valid_from"]
    list_filter = ["code", "language"]
    search_fields = ["text"]
    search_help_text = _("Words of the text")
    fields = [("code", "language"), "text", "valid_from"]

    def has_change_permission(self, request: HttpRequest, obj: LegalText | None = None) -> bool:
        """Texts under which invoices were issued stay."""
        return super().has_change_permission(request, obj) and (obj is None or not is_invoiced_since(obj.valid_from))

    def has_delete_permission(self, request: HttpRequest, obj: LegalText | None = None) -> bool:
        """Texts under which invoices were issued stay."""
        return super().has_delete_permission(request, obj) and obj is not None and not is_invoiced_since(obj.valid_from)


class ExchangeRateForm(forms.ModelForm[ExchangeRate]):
    """Rates are found by currency in capitals."""

    def clean_currency(self) -> str:
        """A currency that organizations can be billed in, other than the euro."""
        currency = str(self.cleaned_data["currency"]).strip().upper()
        try:
            check_currency(currency)
        except ValueError as error:
            raise ValidationError(_("Write the code of a currency with two decimals, such as USD.")) from error
        if currency == EURO:
            raise ValidationError(_("Amounts in euros need no exchange rate."))
        return currency

    def clean_per_euro_micro(self) -> int:
        """More than nothing."""
        per_euro_micro: int = self.cleaned_data["per_euro_micro"]
        if per_euro_micro <= 0:
            raise ValidationError(_("A rate is more than zero."))
        return per_euro_micro


def is_invoiced_at(rate: ExchangeRate) -> bool:
    """Whether a document in its currency was issued on its day or after it."""
    return Invoice.objects.filter(currency=rate.currency, issue_date__gte=rate.day).exists()


@admin.register(ExchangeRate)
class ExchangeRateAdmin(BillingAdmin[ExchangeRate]):
    """A rate stays once documents in its currency were issued since."""

    form = ExchangeRateForm
    list_display = ["currency", "day", displays.plain_column("per_euro_micro", _("for one euro"), format_micro)]
    list_filter = ["currency"]
    search_fields = ["currency"]
    search_help_text = _("Code of the currency, such as USD")
    date_hierarchy = "day"
    fields = ["currency", "day", "per_euro_micro"]

    def has_change_permission(self, request: HttpRequest, obj: ExchangeRate | None = None) -> bool:
        """Rates under which documents were issued stay."""
        return super().has_change_permission(request, obj) and (obj is None or not is_invoiced_at(obj))

    def has_delete_permission(self, request: HttpRequest, obj: ExchangeRate | None = None) -> bool:
        """Rates under which documents were issued stay."""
        return super().has_delete_permission(request, obj) and obj is not None and not is_invoiced_at(obj)


class NumberSeriesForm(forms.ModelForm[NumberSeries]):
    """A template must give every counter a number of its own."""

    def clean_template(self) -> str:
        """Raise what the domain says about the template."""
        template = str(self.cleaned_data["template"])
        try:
            check_template(template)
        except InvalidTemplate as error:
            raise ValidationError(gettext(str(error))) from error
        return template


@admin.register(NumberSeries)
class NumberSeriesAdmin(BillingAdmin[NumberSeries]):
    """The template can change between two documents; the counter is the issuing transaction's."""

    form = NumberSeriesForm
    list_display = ["kind", "template", "next_number", "last_counter", "last_date"]
    list_select_related = ["legal_entity"]
    fields = ["legal_entity", "kind", "template", "next_number", "last_counter", "last_date"]
    readonly_fields = ["legal_entity", "kind", "next_number", "last_counter", "last_date"]

    @display(description=_("next number, if issued today"))
    def next_number(self, series: NumberSeries) -> str:
        """What the template makes of the next counter."""
        return render_number(series.template, date=timezone.localdate(), counter=series.last_counter + 1)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """`migrate` makes the two series there are."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Numbers must stay without gaps."""
        return False
