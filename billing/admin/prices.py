"""Prices of meters: versions in time, each with its tiers."""

from typing import Any

from django.contrib import admin
from django.db.models import Field, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter
from unfold.decorators import display

from billing import formatting
from billing.admin import _displays as displays
from billing.admin._base import BillingAdmin, PerformsMixin, UnitsInline
from billing.admin._filters import EmptyFilter, TextFilter
from billing.admin._imports import ImportsMixin
from billing.admin._price_forms import PriceForm, TierFormSet
from billing.models import Price, PriceTier
from billing.queries.months import local_day
from billing.queries.price_words import price_in_words
from billing.queries.prices import is_invoiced, stored_price, versions_beside
from billing.usecases.withdraw_price import withdraw_price
from organizations.admin._exports import exports

TERMS: list[Any] = [("per_quantity_micro", "package_micro"), "mode", "bounds_per_hour"]


class TierInline(UnitsInline[PriceTier, Price]):
    """What a unit costs up to a bound; the last tier has none."""

    model = PriceTier
    formset = TierFormSet
    fields = ["up_to_micro", "unit_price"]
    min_num = 1
    # A phone has no room for the heads of the columns.
    placeholders = {"up_to_micro": _("up to; empty: no bound"), "unit_price": _("unit price")}

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Say in the empty input what it is for."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in self.placeholders:
            field.widget.attrs["placeholder"] = capfirst(self.placeholders[db_field.name])
        return field


class ForceFilter(RadioFilter):
    """Versions by whether they are in force today."""

    title = _("validity")
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Now, later, over."""
        return [("now", _("in force")), ("later", _("begins later")), ("over", _("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Price]) -> QuerySet[Price]:
        """Apply the choice."""
        now = timezone.now()
        begun = Q(valid_from__isnull=True) | Q(valid_from__lte=now)
        match self.value():
            case "now":
                return queryset.filter(begun, Q(valid_to__isnull=True) | Q(valid_to__gt=now))
            case "later":
                return queryset.filter(valid_from__gt=now)
            case "over":
                return queryset.filter(valid_to__lte=now)
        return queryset


class NegotiatedFilter(EmptyFilter):
    """The catalogue's prices, or those negotiated with an organization."""

    title = _("for")
    parameter_name = "catalogue"
    column = "organization"
    empty_label, filled_label = _("everybody (catalogue)"), _("one organization (negotiated)")


@admin.register(Price)
class PriceAdmin(ImportsMixin[Price], PerformsMixin[Price], BillingAdmin[Price]):
    """A version that priced an issued invoice is read-only: prices change by adding a new version."""

    imported = "price"
    form = PriceForm
    inlines = [TierInline]
    list_display = [
        displays.link_column("meter", _("meter")),
        "zone_or_any",
        "unit_price",
        displays.link_column("organization", _("negotiated with")),
        "first_day",
        "end_day",
        "version",
    ]
    list_display_links = ["version"]
    list_select_related = ["meter", "organization"]
    list_filter = [
        ForceFilter,
        NegotiatedFilter,
        ("meter", AutocompleteSelectFilter),
        ("organization", AutocompleteSelectFilter),
        ("zone", TextFilter),
        ("currency", TextFilter),
    ]
    search_fields = ["meter__code__icontains", "meter__name__icontains"]
    search_help_text = _("Part of the meter's code or name")
    date_hierarchy = "valid_from"
    autocomplete_fields = ["meter", "organization"]
    fieldsets = [
        (_("What it prices"), {"fields": ["meter", ("zone", "currency"), "organization"]}),
        (_("When"), {"fields": [("valid_from", "valid_to")]}),
        (_("How"), {"fields": TERMS}),
    ]
    # A new version ends where the next one begins, so its end is not typed.
    add_fieldsets = [fieldsets[0], (_("When"), {"fields": ["valid_from"]}), fieldsets[2]]
    change_form_outer_before_template = "admin/price_versions.html"
    empty_hint = _("Load a price system with manage.py import_prices FILE, or add a price here.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        """Each version with its tiers."""
        return super().get_queryset(request).prefetch_related("tiers")

    @display(description=_("zone"))
    def zone_or_any(self, price: Price) -> str:
        """An empty zone serves any."""
        return price.zone or str(_("any"))

    @display(description=_("price"))
    def unit_price(self, price: Price) -> Any:
        """The unit price in words."""
        return formatting.nowrap(price_in_words(stored_price(price), price.meter.unit))

    @exports(lambda price: local_day(price.valid_from) if price.valid_from else None)
    @display(description=_("valid from"))
    def first_day(self, price: Price) -> Any:
        """The day of the first instant."""
        return local_day(price.valid_from) if price.valid_from else _("ever")

    @display(description=_("valid until"))
    def end_day(self, price: Price) -> Any:
        """The first day without it."""
        return local_day(price.valid_to) if price.valid_to else ""

    @exports(lambda price: price.pk)
    @display(description=_("version"))
    def version(self, price: Price) -> str:
        """Leads to the version's page."""
        return str(_("show"))

    def has_change_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        """What an issued invoice was rated with stays."""
        return super().has_change_permission(request, obj) and (obj is None or not _is_invoiced(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        """One at a time, and never what an issued invoice was rated with."""
        return super().has_delete_permission(request, obj) and obj is not None and not _is_invoiced(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> Any:
        """What a version prices and when is decided when it is added; its terms can be corrected until it is used."""
        return [] if obj is None else ["meter", "zone", "currency", "organization", "valid_from", "valid_to"]

    def delete_model(self, request: HttpRequest, obj: Price) -> None:
        """Take the version back; the one before is in force again."""
        withdraw_price(price_id=obj.pk)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new version starts as a copy of the one it follows."""
        source = _source(request)
        if source is None:
            return super().get_changeform_initial_data(request)
        names = ("meter", "zone", "currency", "organization", "per_quantity_micro", "package_micro", "mode")
        return {name: getattr(source, name) for name in (*names, "bounds_per_hour")}

    def get_formset_kwargs(self, request: HttpRequest, obj: Price, inline: Any, prefix: str) -> dict[str, Any]:
        """Copy the tiers as well."""
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        source = _source(request) if request.method == "GET" and not obj.pk else None
        if source is not None:
            kwargs["initial"] = [
                {"up_to_micro": tier.up_to_micro, "unit_price": tier.unit_price} for tier in source.tiers.all()
            ]
        return kwargs

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Price | None = None) -> Any:
        """As many empty rows as the copied version has tiers."""
        source = _source(request) if obj is None else None
        for formset, inline in super().get_formsets_with_inlines(request, obj):
            if source is not None:
                formset.min_num = max(1, source.tiers.count())
            yield formset, inline

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show above the form the other versions, and how to add one."""
        price = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if price is not None:
            key = {name: getattr(price, name) for name in ("meter", "zone", "currency", "organization")}
            context = {
                "versions": [
                    {
                        "price": row,
                        "words": price_in_words(stored_price(row), price.meter.unit),
                        "is_this": row.pk == price.pk,
                    }
                    for row in versions_beside(**key, exclude=None).prefetch_related("tiers")
                ],
                "is_invoiced": _is_invoiced(request, price),
                "new_version_url": f"{reverse('admin:billing_price_add')}?copy={price.pk}"
                if self.has_add_permission(request)
                else "",
            }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})


def _is_invoiced(request: HttpRequest, price: Price) -> bool:
    """A page asks for the rights on a row many times, and the answer is a search through all invoices."""
    known: dict[int, bool] = request.__dict__.setdefault("_invoiced_prices", {})
    if price.pk not in known:
        known[price.pk] = is_invoiced(price.pk)
    return known[price.pk]


def _source(request: HttpRequest) -> Price | None:
    """The version that a new one is to copy."""
    pk = request.GET.get("copy", "")
    if not pk.isdecimal():
        return None
    return Price.objects.select_related("meter").prefetch_related("tiers").filter(pk=int(pk)).first()
