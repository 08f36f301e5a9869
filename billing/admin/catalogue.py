"""What is measured and sold: meters, add-on plans with their monthly prices."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, DateField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AllValuesCheckboxFilter
from unfold.decorators import display

from billing.admin import _displays as displays
from billing.admin._base import BillingAdmin, UnitsInline
from billing.admin._fields import CurrencyField
from billing.models import AddOnPlan, AddOnPlanPrice, Meter
from billing.queries.prices import plan_is_invoiced

BEFORE_ALL = Value(date.min, output_field=DateField())


class MeterForm(forms.ModelForm[Meter]):
    """Codes are looked up whatever their case, so they differ by more than that."""

    def clean_code(self) -> str:
        """Refuse the code of another meter."""
        code = str(self.cleaned_data["code"]).strip()
        if Meter.objects.filter(code__iexact=code).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("There is a meter with this code already; upper and lower case are the same."))
        return code


@admin.register(Meter)
class MeterAdmin(BillingAdmin[Meter]):
    """What the platform measures."""

    form = MeterForm
    list_display = ["code", "name", "unit", "category", "price_count"]
    list_filter = [("category", AllValuesCheckboxFilter), ("unit", AllValuesCheckboxFilter)]
    search_fields = ["code__icontains", "name__icontains"]
    search_help_text = _("Part of the code or name")
    ordering = ["code"]
    fields = ["code", "name", "unit", "category"]
    empty_hint = _("Meters come with a price system: manage.py import_prices FILE.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Meter]:
        """Each meter with the number of its price versions."""
        return super().get_queryset(request).annotate(price_total=Count("prices"))

    @display(description=_("price versions"), formatting="price", ordering="price_total")
    def price_count(self, meter: Meter) -> int:
        """None means that its usage blocks the close of whoever has it."""
        return int(meter.price_total)  # type: ignore[attr-defined]  # annotated

    def get_readonly_fields(self, request: HttpRequest, obj: Meter | None = None) -> Any:
        """Reporters of usage know the code; prices and past usage are in the unit."""
        return ["code", "unit"] if obj else []


class PlanPriceFormSet(forms.BaseInlineFormSet[AddOnPlanPrice, AddOnPlan, forms.ModelForm[AddOnPlanPrice]]):
    """A plan has at least one price, and one a day."""

    def clean(self) -> None:
        """Refuse two prices from the same day: the database would, without a sentence."""
        super().clean()
        if any(self.errors):
            return
        kept = [form.cleaned_data for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        days = [row.get("valid_from") for row in kept]
        if not days:
            raise ValidationError(_("A plan needs a monthly price."))
        if len(set(days)) < len(days) or self._is_taken(days):
            raise ValidationError(_("Two prices begin on the same day."))

    def _is_taken(self, days: list[date | None]) -> bool:
        """Whether a price that somebody else has added meanwhile begins on one of the days."""
        shown = [form.instance.pk for form in self.initial_forms]
        others = AddOnPlanPrice.objects.filter(plan=self.instance.pk).exclude(pk__in=shown)
        return any(day in days for day in others.values_list("valid_from", flat=True))


class PlanPriceForm(forms.ModelForm[AddOnPlanPrice]):
    """One monthly price; that there is one a day is checked for all of them together."""

    def validate_constraints(self) -> None:
        """The formset says it in a sentence."""


class PlanPriceInline(UnitsInline[AddOnPlanPrice, AddOnPlan]):
    """Monthly prices by the day from which they count; no day means from ever."""

    model = AddOnPlanPrice
    form = PlanPriceForm
    formset = PlanPriceFormSet
    fields = ["valid_from", "monthly_price_cents"]
    currency_path = "plan.currency"
    min_num = 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[AddOnPlanPrice]:
        """Each price with its plan, which has the currency."""
        return super().get_queryset(request).select_related("plan")


class AddOnPlanForm(forms.ModelForm[AddOnPlan]):
    """A plan is priced in one currency."""

    currency = CurrencyField()


@admin.register(AddOnPlan)
class AddOnPlanAdmin(BillingAdmin[AddOnPlan]):
    """Products with a monthly price."""

    form = AddOnPlanForm
    list_display = [
        "code",
        "name",
        displays.money_column("price_now", _("monthly price"), sortable=False),
        "add_on_count",
    ]
    search_fields = ["code__icontains", "name__icontains"]
    search_help_text = _("Part of the code or name")
    ordering = ["code"]
    fields = ["code", "name", "currency"]
    inlines = [PlanPriceInline]
    empty_hint = _("A plan is a product with a fixed monthly price; organizations subscribe to it by add-ons.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AddOnPlan]:
        """Each plan with the price of today and the number of its add-ons."""
        in_force = AddOnPlanPrice.objects.filter(plan=OuterRef("pk")).filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=timezone.localdate())
        )
        newest = in_force.annotate(since=Coalesce("valid_from", BEFORE_ALL)).order_by("-since")
        return (
            super()
            .get_queryset(request)
            .annotate(price_now=Subquery(newest.values("monthly_price_cents")[:1]), add_on_total=Count("add_ons"))
        )

    @display(description=_("add-ons"), formatting="price", ordering="add_on_total")
    def add_on_count(self, plan: AddOnPlan) -> int:
        """How many organizations subscribed."""
        return int(plan.add_on_total)  # type: ignore[attr-defined]  # annotated

    def get_readonly_fields(self, request: HttpRequest, obj: AddOnPlan | None = None) -> Any:
        """What add-ons of this plan rely on."""
        return ["code", *(["currency"] if plan_is_invoiced(obj.pk) else [])] if obj else []
