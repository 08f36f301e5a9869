"""Coupons and who used them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from billing.admin import _displays as displays
from billing.admin._base import BillingAdmin, PerformsMixin, UseCaseForm
from billing.admin._fields import CurrencyField
from billing.models import Coupon, CouponUse
from billing.usecases.apply_coupon import CouponRefused, apply_coupon
from organizations.models import User


class CouponForm(forms.ModelForm[Coupon]):
    """A coupon keeps room for the uses it already has."""

    currency = CurrencyField()

    def clean_amount_cents(self) -> int:
        """A coupon gives something."""
        amount_cents: int = self.cleaned_data["amount_cents"]
        if amount_cents <= 0:
            raise ValidationError(_("A coupon gives an amount above zero."))
        return amount_cents

    def clean(self) -> dict[str, Any]:
        """A window has a beginning before its end."""
        cleaned = super().clean() or {}
        start, end = cleaned.get("valid_from"), cleaned.get("valid_until")
        if start and end and end < start:
            self.add_error("valid_until", _("The last day cannot be before the first."))
        return cleaned

    def clean_maximum_uses(self) -> int | None:
        """Not below the uses that were made."""
        maximum: int | None = self.cleaned_data["maximum_uses"]
        uses = CouponUse.objects.filter(coupon=self.instance.pk).count() if self.instance.pk else 0
        if maximum is not None and maximum < uses:
            raise ValidationError(_("The coupon is already used %(uses)d times.") % {"uses": uses})
        return maximum


@admin.register(Coupon)
class CouponAdmin(BillingAdmin[Coupon]):
    """What a coupon gives is fixed once somebody used it; its window and its number of uses can still change."""

    form = CouponForm
    list_display = [
        "name",
        "state",
        displays.money_column("amount_cents", _("amount")),
        "valid_from",
        "valid_until",
        "credits_last_days",
        "uses_made",
        "maximum_uses",
    ]
    search_fields = ["name"]
    search_help_text = _("Part of the name")
    ordering = ["-pk"]
    date_hierarchy = "valid_from"
    fieldsets = [
        (None, {"fields": ["name", ("amount_cents", "currency")]}),
        (_("Validity"), {"fields": [("valid_from", "valid_until"), "credits_last_days", "maximum_uses"]}),
    ]
    empty_hint = _("A coupon gives free credits, once per organization.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Coupon]:
        """Each coupon with how often it was used."""
        return super().get_queryset(request).annotate(use_count=Count("uses"))

    @display(description=_("state"), label={"in_force": "success", "later": "info"})
    def state(self, coupon: Coupon) -> tuple[str, str] | str:
        """Whether it can be used today, as far as its window says."""
        today = timezone.localdate()
        if coupon.valid_until is not None and coupon.valid_until < today:
            return str(_("expired"))
        if coupon.valid_from is not None and coupon.valid_from > today:
            return "later", str(_("begins later"))
        return "in_force", str(_("in force"))

    @display(description=_("uses"), formatting="price")
    def uses_made(self, coupon: Coupon) -> int:
        """How often it was used."""
        return int(coupon.use_count)  # type: ignore[attr-defined]  # annotated

    def get_readonly_fields(self, request: HttpRequest, obj: Coupon | None = None) -> Any:
        """What somebody already got does not change."""
        return [self._shown("amount_cents"), "name", "currency"] if obj is not None and obj.uses.exists() else []

    def has_delete_permission(self, request: HttpRequest, obj: Coupon | None = None) -> bool:
        """A coupon that was used stays."""
        return super().has_delete_permission(request, obj) and (obj is None or not obj.uses.exists())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Coupon]) -> None:
        """Delete what nobody used, whatever was ticked in the list."""
        unused = queryset.filter(uses__isnull=True).values("pk")
        super().delete_queryset(request, Coupon.objects.filter(pk__in=unused))


class CouponUseForm(UseCaseForm[CouponUse]):
    """Uses a coupon for an organization."""

    refusals = (CouponRefused,)
    user: User

    class Meta:
        model = CouponUse
        fields = ["coupon", "organization"]

    def perform(self) -> CouponUse:
        """Give the credits of the coupon."""
        coupon, organization = self.cleaned_data["coupon"], self.cleaned_data["organization"]
        return apply_coupon(coupon_name=coupon.name, organization=organization, user=self.user, at=timezone.now())

    def validate_unique(self) -> None:
        """The use case says so in a sentence."""


@admin.register(CouponUse)
class CouponUseAdmin(PerformsMixin[CouponUse], BillingAdmin[CouponUse]):
    """Who used a coupon, and the credits that it gave."""

    form = CouponUseForm

    list_display = [
        displays.link_column("coupon", _("coupon")),
        displays.link_column("organization", _("organization")),
        displays.link_column("grant", _("grant")),
        displays.money_column("grant.amount_cents", _("amount"), currency="grant.currency", sortable=False),
        "used_at",
        "used_by",
    ]
    list_display_links = None
    list_select_related = ["coupon", "organization", "grant", "used_by"]
    list_filter = [("coupon", AutocompleteSelectFilter), ("organization", AutocompleteSelectFilter)]
    search_fields = ["organization__name"]
    search_help_text = _("Beginning of the organization's name or identifier")
    search_organization = "organization"
    date_hierarchy = "used_at"
    dates_follow_key = True
    autocomplete_fields = ["coupon", "organization"]
    empty_hint = _("A coupon is used once per organization; its credits are then a grant.")

    def get_form(self, request: HttpRequest, obj: CouponUse | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The use names the person at the desk."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.user = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: CouponUse | None = None) -> Any:
        """What is chosen, or what came of it."""
        return ["coupon", "organization", *(["grant", "used_at", "used_by"] if obj else [])]

    def has_change_permission(self, request: HttpRequest, obj: CouponUse | None = None) -> bool:
        """What was given stays given."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CouponUse | None = None) -> bool:
        """What was given stays given."""
        return False
