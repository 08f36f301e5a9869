"""Credits: lots of them, and every movement."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from billing import formatting
from billing.admin import _displays as displays
from billing.admin._base import BillingAdmin, ComputedAdmin, PerformsMixin, UnitsInline, UseCaseForm
from billing.models import CreditEntry, CreditGrant
from billing.usecases.grant_credits import InvalidGrant, grant_credits
from organizations.models import User

GRANT_COLOURS = {"active": "success", "pending": "warning", "cancelled": "danger"}
ENTRY_COLOURS = {
    "grant": "success",
    "return": "success",
    "use": "info",
    "suspension": "warning",
    "expiry": "warning",
    "revocation": "danger",
    "refund": "danger",
}


class GrantForm(UseCaseForm[CreditGrant]):
    """Gives free credits; prepaid ones are only sold, by invoices."""

    refusals = (InvalidGrant,)
    actor: User

    class Meta:
        model = CreditGrant
        fields = ["organization", "amount_cents", "starts_on", "expires_on", "priority", "reason", "reference"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "reason" in self.fields:
            self.fields["reason"].required = True
            self.fields["expires_on"].help_text = _("The last day; usually the end of a month. Empty: never.")

    def perform(self) -> CreditGrant:
        """Grant them; they are usable at once, or from the day on which they start."""
        values = {name: self.cleaned_data[name] for name in self.Meta.fields if name != "organization"}
        organization_id = self.cleaned_data["organization"].pk
        values["reference"] = values["reference"] or None
        at = timezone.now()
        granted = grant_credits(
            organization_id=organization_id, type=CreditGrant.Type.FREE, author=self.actor, at=at, **values
        )
        return granted.grant


class CreditEntryInline(UnitsInline[CreditEntry, CreditGrant]):
    """The movements of a grant; their sum is what remains."""

    model = CreditEntry
    fields = ["booked_at", "kind", "month", "invoice", "amount_cents"]
    currency_path = "grant.currency"
    ordering = ["id"]
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> Any:
        """Each row with what it names."""
        return super().get_queryset(request).select_related("invoice", "grant")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The ledger is written by use cases."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The ledger only grows."""
        return False


@admin.register(CreditGrant)
class CreditGrantAdmin(PerformsMixin[CreditGrant], BillingAdmin[CreditGrant]):
    """Free credits are granted here; prepaid ones are sold by invoices. Neither is edited."""

    form = GrantForm

    list_display = [
        "name",
        displays.link_column("organization", _("organization")),
        "type",
        displays.state_column("state", _("state"), GRANT_COLOURS),
        displays.money_column("amount_cents", _("amount")),
        displays.money_column("remaining_cents", _("remaining")),
        "starts_on",
        "expires_on",
    ]
    list_select_related = ["organization", "sold_by"]
    list_filter = [
        ("type", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("organization", AutocompleteSelectFilter),
    ]
    search_fields = ["reference"]
    search_help_text = _("Reference, or beginning of the organization's name or identifier")
    search_exact = ("reference",)
    search_organization = "organization"
    date_hierarchy = "created_at"
    dates_follow_key = True
    autocomplete_fields = ["organization"]
    inlines = [CreditEntryInline]
    empty_hint = _("Invoices sell prepaid credits; coupons and gestures give free ones.")

    @display(description=_("credit grant"))
    def name(self, grant: CreditGrant) -> str:
        """What it came from."""
        return formatting.name_of_grant(grant)

    def get_fields(self, request: HttpRequest, obj: CreditGrant | None = None) -> Any:
        """What is typed, or what became of it."""
        if obj is None:
            return ["organization", "amount_cents", "starts_on", "expires_on", "priority", "reason", "reference"]
        return [
            "organization",
            ("type", "state"),
            ("amount_cents", "remaining_cents"),
            ("starts_on", "expires_on"),
            "priority",
            "reason",
            "reference",
            "sold_by",
            "author",
            "created_at",
        ]

    def get_form(
        self, request: HttpRequest, obj: CreditGrant | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form that knows who gives."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"actor": request.user})

    def get_inlines(self, request: HttpRequest, obj: CreditGrant | None) -> Any:
        """A grant that is being given has no movements yet."""
        return self.inlines if obj else []

    def has_change_permission(self, request: HttpRequest, obj: CreditGrant | None = None) -> bool:
        """A grant changes by entries only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CreditGrant | None = None) -> bool:
        """A grant changes by entries only."""
        return False


@admin.register(CreditEntry)
class CreditEntryAdmin(ComputedAdmin[CreditEntry]):
    """The ledger of all credits."""

    list_display = [
        "booked_at",
        displays.link_column("grant.organization", _("organization")),
        "grant_name",
        displays.state_column("kind", _("kind"), ENTRY_COLOURS),
        displays.money_column("amount_cents", _("amount"), currency="grant.currency"),
        displays.link_column("invoice", _("invoice")),
    ]
    list_select_related = ["grant__organization", "grant__sold_by", "invoice"]
    list_filter = [("kind", ChoicesDropdownFilter), ("grant__organization", AutocompleteSelectFilter)]
    search_fields = ["grant__reference"]
    search_help_text = _("Beginning of the organization's name or identifier")
    search_organization = "grant__organization"
    date_hierarchy = "booked_at"
    dates_follow_key = True
    fields = ["grant", "kind", "amount_cents", "month", "invoice", "outcome", "booked_at"]
    currency_path = "grant.currency"
    empty_hint = _("Every movement of credits is an entry: granted, used, expired, revoked, refunded.")

    @display(description=_("grant"))
    def grant_name(self, entry: CreditEntry) -> Any:
        """The lot of credits that moved."""
        return formatting.link_to(entry.grant, formatting.name_of_grant(entry.grant))
