"""What is stored, as the objects of the import format (interfaces §2) that would store it again."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import F, Model, OuterRef, QuerySet, Subquery

from billing.domain.money import format_cents
from billing.models import AddOn, AddOnPlan, AddOnPlanPrice, Resource
from organizations.models import BillingProfile, Organization

type PlatformObject = dict[str, Any]

_PROFILE = (
    *("is_company", "company", "name", "address", "postcode", "city", "vat_number", "siren", "email", "language"),
    *("purchase_order", "cost_center", "electronic_address", "electronic_scheme", "requires_e_invoice"),
)
_PPM_PER_PERCENT = 10_000


def platform_objects(kind: str, *, organization_id: int | None) -> QuerySet[Any]:
    """The rows of a kind, of one organization or of all, with what `as_object` reads of them."""
    rows: QuerySet[Any]
    match kind:
        case "organization":
            rows = Organization.objects.select_related("parent", "billing_profile")
            return rows if organization_id is None else rows.filter(pk=organization_id)
        case "resource":
            rows = Resource.objects.select_related("organization")
        case "add_on":
            rows = AddOn.objects.select_related("organization", "plan")
        case "add_on_plan":
            prices = AddOnPlanPrice.objects.filter(plan=OuterRef("pk")).order_by(F("valid_from").desc(nulls_last=True))
            return AddOnPlan.objects.annotate(price_cents=Subquery(prices.values("monthly_price_cents")[:1]))
        case _:
            raise ValueError(f"There are no {kind} to read.")
    return rows if organization_id is None else rows.filter(organization=organization_id)


def as_object(row: Model) -> PlatformObject:
    """A row of `platform_objects` in the import format."""
    return _WRITERS[type(row)](row)


def _organization(row: Organization) -> PlatformObject:
    profile: BillingProfile | None = getattr(row, "billing_profile", None)
    refill_cents = row.negotiated_refill_cents
    return {
        "kind": "organization",
        "id": row.external_id,
        "name": row.name,
        "parent": row.parent.external_id if row.parent else None,
        "currency": row.currency,
        "opened_on": row.opened_on,
        "closed_on": row.closed_on,
        "forecast_months": row.forecast_months,
        "negotiated_refill": None if refill_cents is None else format_cents(refill_cents),
        "negotiated_refill_until": row.negotiated_refill_until,
        "consumption_discount_percent": _percent(row.consumption_discount_ppm),
        "payment_term_days": row.payment_term_days,
        "billing": None
        if profile is None
        else {**{name: getattr(profile, name) for name in _PROFILE}, "country": str(profile.country)},
    }


def _percent(ppm: int) -> str:
    whole, rest = divmod(ppm, _PPM_PER_PERCENT)
    return f"{whole}.{rest:04}".rstrip("0").rstrip(".")


def _resource(row: Resource) -> PlatformObject:
    return {
        "kind": "resource",
        "id": row.external_id,
        "organization": row.organization.external_id,
        "name": row.name,
    }


def _add_on_plan(row: AddOnPlan) -> PlatformObject:
    price_cents: int | None = row.price_cents  # type: ignore[attr-defined]  # annotated
    return {
        "kind": "add_on_plan",
        "code": row.code,
        "name": row.name,
        "monthly_price": format_cents(price_cents or 0),
        "currency": row.currency,
    }


def _add_on(row: AddOn) -> PlatformObject:
    return {
        "kind": "add_on",
        "id": row.external_id,
        "organization": row.organization.external_id,
        "plan": row.plan.code,
        "name": row.name,
        "started_on": row.started_on,
        "ended_on": row.ended_on,
        "quantity": row.quantity,
    }


_WRITERS: Mapping[type[Model], Callable[[Any], PlatformObject]] = {
    Organization: _organization,
    Resource: _resource,
    AddOnPlan: _add_on_plan,
    AddOn: _add_on,
}
