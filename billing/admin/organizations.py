"""Organizations with the terms agreed with them. Here because terms are money, and money is billing's."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter, RangeDateFilter
from unfold.decorators import display

from billing import formatting
from billing.admin import _displays as displays
from billing.admin import _links as links
from billing.admin._account_actions import ACCOUNT_ACTIONS
from billing.admin._actions import ActionsMixin
from billing.admin._base import BillingAdmin, PerformsMixin, UseCaseForm
from billing.admin._fields import CurrencyField
from billing.admin._filters import EmptyFilter
from billing.admin._imports import ImportsMixin
from billing.queries.organizations import Account, fixed_currencies, load_account
from billing.queries.outcomes import reason_sentences
from organizations.admin import BillingProfileInline, MembershipInline
from organizations.models import Organization, User
from organizations.queries import find_organizations
from organizations.usecases.save_organizations import OrganizationRefused, OrganizationValues, save_organizations

TERMS = (
    "forecast_months",
    "negotiated_refill_cents",
    "negotiated_refill_until",
    "consumption_discount_ppm",
    "payment_term_days",
)

HELP_TEXTS = {
    "closed_on": _("The month of this day is the last one billed. Empty: open."),
    "negotiated_refill_cents": _("Excl. VAT, sold with every invoice instead of the estimate. Empty: the estimate."),
    "consumption_discount_ppm": _("In percent of the consumption, such as 12.5."),
}


class OrganizationForm(UseCaseForm[Organization]):
    """Saves an organization under the same rules as an import."""

    refusals = (OrganizationRefused,)
    currency = CurrencyField()
    actor: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, help_text in HELP_TEXTS.items():
            if name in self.fields:
                self.fields[name].help_text = help_text

    def perform(self) -> Organization:
        """Create or change it; what the page does not let change stays as it is stored."""
        values, parent = self.cleaned_data, self.cleaned_data["parent"]
        external_id = values.get("external_id", self.instance.external_id)
        wanted = OrganizationValues(
            external_id=external_id,
            name=values["name"],
            currency=values.get("currency", self.instance.currency),
            opened_on=values["opened_on"],
            closed_on=values["closed_on"],
            parent=parent.external_id if parent else None,
            **{name: values[name] for name in TERMS},
        )
        (verdict,) = save_organizations(organizations=[wanted], currency_fixed=fixed_currencies, author=self.actor)
        if isinstance(verdict, OrganizationRefused):
            raise verdict
        return Organization.objects.get(external_id=external_id)


class TopFilter(EmptyFilter):
    """Organizations that get an invoice of their own, or are on their parent's."""

    title = _("invoice")
    parameter_name = "top"
    column = "parent"
    empty_label, filled_label = _("has invoices of its own"), _("on the parent's invoice")


class OpenFilter(RadioFilter):
    """Organizations that are open today."""

    title = _("account")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Open or closed."""
        return [("1", _("open")), ("0", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Organization]) -> QuerySet[Organization]:
        """Apply the choice."""
        closed = {"closed_on__lte": timezone.localdate()}
        match self.value():
            case "1":
                return queryset.exclude(closed_on__isnull=False, **closed)
            case "0":
                return queryset.filter(**closed)
        return queryset


@admin.register(Organization)
class OrganizationAdmin(
    ActionsMixin[Organization], ImportsMixin[Organization], PerformsMixin[Organization], BillingAdmin[Organization]
):
    """Customers: who they are, what was agreed, how their account stands."""

    imported = "organization"
    form = OrganizationForm
    page_actions = ACCOUNT_ACTIONS
    list_display = [
        "name",
        "external_id",
        displays.link_column("parent", _("billed on the invoice of")),
        "currency",
        "opened_on",
        "closed_on",
        "terms",
    ]
    list_select_related = ["parent"]
    list_filter = [TopFilter, OpenFilter, ("parent", AutocompleteSelectFilter), ("opened_on", RangeDateFilter)]
    search_fields = ["name"]
    search_help_text = _("Name or identifier, from the beginning")
    date_hierarchy = "opened_on"
    autocomplete_fields = ["parent"]
    inlines = [BillingProfileInline, MembershipInline]
    fieldsets = [
        (None, {"fields": ["external_id", "name", "parent", "currency", ("opened_on", "closed_on")]}),
        (
            _("Terms"),
            {
                "fields": [
                    ("negotiated_refill_cents", "negotiated_refill_until"),
                    ("forecast_months", "consumption_discount_ppm"),
                    "payment_term_days",
                ]
            },
        ),
    ]
    change_form_outer_before_template = "admin/organization_account.html"
    empty_hint = _("Organizations come from the platform with import_data, or are added here.")

    @display(description=_("terms"))
    def terms(self, organization: Organization) -> Any:
        """What differs from what everybody has."""
        found = []
        if organization.consumption_discount_ppm:
            found.append(f"−{formatting.format_percent(organization.consumption_discount_ppm, 1_000_000)}")
        if organization.negotiated_refill_cents is not None:
            refill = formatting.format_amount(organization.negotiated_refill_cents)
            until = organization.negotiated_refill_until
            words = _("refill %(amount)s until %(day)s") if until else _("refill %(amount)s")
            found.append(
                str(words % {"amount": refill, "day": date_format(until, "SHORT_DATE_FORMAT") if until else ""})
            )
        if organization.forecast_months == 0:
            found.append(str(_("no provision")))
        elif organization.forecast_months != 1:
            found.append(str(_("mean of %(months)d months") % {"months": organization.forecast_months}))
        return formatting.nowrap(", ".join(found))

    def get_form(
        self, request: HttpRequest, obj: Organization | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form that knows who agrees on terms."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"actor": request.user})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Organization], search_term: str
    ) -> tuple[QuerySet[Organization], bool]:
        """Find organizations by the beginning of their name or identifier, else by a part of the name."""
        if not search_term.strip():
            return queryset, False
        return queryset & find_organizations(search_term), False

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> Any:
        """The identifier is the platform's; money was counted in the currency."""
        return [] if obj is None else ["external_id", *(["currency"] if fixed_currencies([obj.pk]) else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """An organization is closed on a day, never deleted."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show above the form how the account stands."""
        context: dict[str, Any] = {}
        if object_id.isdecimal() and request.user.has_perm("billing.view_invoice"):
            pk = int(object_id)
            account = load_account(pk, today=timezone.localdate())
            context = {
                "account": account,
                "buttons": [] if account is None else self.buttons(request, account.organization),
                "blocked": _why_blocked(account),
                "account_links": {
                    "invoices": links.invoices_of(pk),
                    "credits": _list_of("creditgrant", pk),
                    "usage": _list_of("usagerecord", pk),
                    "payments": _list_of("payment", pk),
                    "unallocated": f"{_list_of('payment', pk)}&unallocated=1",
                },
            }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})


def _why_blocked(account: Account | None) -> dict[str, Any] | None:
    """The month without an invoice and what to do about it, when the last close was blocked."""
    outcome = account.last_outcome if account else None
    if outcome is None or outcome.kind != outcome.Kind.BLOCKED:
        return None
    return {"month": outcome.month, "sentence": reason_sentences([outcome]).get(outcome.pk, "")}


def _list_of(model: str, organization_id: int) -> str:
    return f"{reverse(f'admin:billing_{model}_changelist')}?organization__id__exact={organization_id}"
