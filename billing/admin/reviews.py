"""What a controller sets: when a draft is conspicuous, and from which amounts on a second person has to approve."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from billing.admin import _displays as displays
from billing.admin._base import BillingAdmin
from billing.models import ApprovalPolicy, ReviewThresholds


def _percent(percent: int) -> str:
    return f"{percent} %"


class ReviewThresholdsForm(forms.ModelForm[ReviewThresholds]):
    """Those of everybody are there already."""

    def clean(self) -> dict[str, Any] | None:
        """Refuse a second row for everybody with a sentence."""
        values = super().clean()
        if self.instance._state.adding and not self.cleaned_data.get("organization"):
            self.add_error("organization", _("Thresholds of all organizations exist: change those, or choose one."))
        return values


@admin.register(ReviewThresholds)
class ReviewThresholdsAdmin(BillingAdmin[ReviewThresholds]):
    """Thresholds for everybody, made by `migrate`, and for organizations that differ from it."""

    form = ReviewThresholdsForm
    currency_path = ""
    list_display = [
        "whom",
        displays.plain_column("jump_percent", _("jump"), _percent),
        displays.plain_column("drop_percent", _("drop"), _percent),
        displays.money_column("least_change_cents", _("least change"), currency=""),
        displays.plain_column("block_jump_percent", _("blocking jump"), _percent),
        displays.money_column("block_change_cents", _("least change that blocks"), currency=""),
        displays.plain_column("provision_percent", _("provision"), _percent),
        "most_lines",
    ]
    list_select_related = ["organization"]
    list_filter = [("organization", AutocompleteSelectFilter)]
    search_fields = ["organization__name"]
    search_help_text = _("Name or identifier of the organization, from the beginning")
    search_organization = "organization"
    autocomplete_fields = ["organization"]
    fieldsets = [
        (
            None,
            {
                "fields": ["organization"],
                "description": _(
                    "A change is measured against the mean of the last three months; amounts are excl. VAT."
                ),
            },
        ),
        (_("Warnings"), {"fields": [("jump_percent", "drop_percent"), "least_change_cents"]}),
        (_("To be acknowledged before issuing"), {"fields": [("block_jump_percent", "block_change_cents")]}),
        (_("Other checks"), {"fields": [("provision_percent", "most_lines")]}),
    ]

    @display(description=_("for"))
    def whom(self, thresholds: ReviewThresholds) -> str:
        """The organization, or everybody."""
        return str(thresholds)

    def get_readonly_fields(self, request: HttpRequest, obj: ReviewThresholds | None = None) -> Any:
        """Thresholds stay those of whom they were made for."""
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None else [*fields, "organization"]

    def has_delete_permission(self, request: HttpRequest, obj: ReviewThresholds | None = None) -> bool:
        """Those of an organization are taken away; those of everybody stay."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.organization_id is not None)


@admin.register(ApprovalPolicy)
class ApprovalPolicyAdmin(BillingAdmin[ApprovalPolicy]):
    """Limits of a legal entity; an empty one never asks for a second person."""

    currency_path = ""
    list_display = [
        "legal_entity",
        displays.money_column("invoice_total_cents", _("invoice total from"), currency=""),
        displays.money_column("manual_line_cents", _("manual line from"), currency=""),
        displays.money_column("discount_cents", _("discount from"), currency=""),
        displays.money_column("credit_note_cents", _("credit note total from"), currency=""),
        displays.plain_column("bulk_count", _("invoices issued at once from"), str),
    ]
    list_select_related = ["legal_entity"]
    readonly_fields = ["legal_entity"]
    fieldsets = [
        (
            None,
            {
                "fields": ["legal_entity"],
                "description": _("From these amounts on somebody else has to approve. Empty: never."),
            },
        ),
        (_("Invoices"), {"fields": ["invoice_total_cents", ("manual_line_cents", "discount_cents"), "bulk_count"]}),
        (_("Credit notes"), {"fields": ["credit_note_cents"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """`migrate` makes the one there is."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApprovalPolicy | None = None) -> bool:
        """Limits are emptied instead."""
        return False
