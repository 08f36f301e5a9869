"""Lines of the import format, as those who write it would, and their import."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO

from billing.usecases.import_data import ImportReport, import_data

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

type Value = str | int | bool | list[Value] | Mapping[str, Value] | None
type Object = dict[str, Value]


def organization_line(identifier: str = "orga_atlas", /, **fields: Value) -> Object:
    """An organization that opened in January, with the required fields only."""
    return {
        "kind": "organization",
        "id": identifier,
        "name": "Atlas",
        "currency": "EUR",
        "opened_on": "2026-01-15",
        **fields,
    }


def billing_object(**fields: Value) -> Object:
    """The buyer details of a French company."""
    return {
        "is_company": True,
        "company": "Atlas SAS",
        "name": "Jane Doe",
        "address": "1 rue du Joli Cœur",
        "postcode": "54000",
        "city": "Nancy",
        "country": "FR",
        "email": "billing@example.org",
        **fields,
    }


def resource_line(identifier: str = "app_api", organization: str = "orga_atlas", /, **fields: Value) -> Object:
    """An application."""
    return {"kind": "resource", "id": identifier, "organization": organization, "name": "api-prod-ruby", **fields}


def meter_line(code: str = "apps.S", /, **fields: Value) -> Object:
    """A meter that counts seconds."""
    return {"kind": "meter", "code": code, "name": "Application S", "unit": "second", "category": "runtime", **fields}


def price_line(meter: str = "apps.S", /, unit_price: str = "0.02", **fields: Value) -> Object:
    """A price per hour for any zone, valid since January."""
    return {
        "kind": "price",
        "meter": meter,
        "zone": None,
        "currency": "EUR",
        "organization": None,
        "valid_from": "2026-01-01",
        "per_quantity": "3600",
        "package_quantity": None,
        "mode": "graduated",
        "tiers": [{"up_to": None, "unit_price": unit_price}],
        **fields,
    }


def usage_line(event_id: str = "e1", /, **fields: Value) -> Object:
    """An hour of the application, on the first of October."""
    return {
        "kind": "usage",
        "source": "scaler",
        "event_id": event_id,
        "organization": "orga_atlas",
        "resource": "app_api",
        "meter": "apps.S",
        "zone": "par",
        "start": "2026-10-01T10:00:00Z",
        "end": "2026-10-01T11:00:00Z",
        "quantity": "3600",
        **fields,
    }


def plan_line(code: str = "support", /, **fields: Value) -> Object:
    """A support plan at 49.00 a month."""
    return {
        "kind": "add_on_plan",
        "code": code,
        "name": "Premium support",
        "monthly_price": "49.00",
        "currency": "EUR",
        **fields,
    }


def add_on_line(identifier: str = "addon_1", /, **fields: Value) -> Object:
    """A subscription to the support plan."""
    return {
        "kind": "add_on",
        "id": identifier,
        "organization": "orga_atlas",
        "plan": "support",
        "name": "Premium support",
        "started_on": "2026-09-12",
        "ended_on": None,
        "quantity": 1,
        **fields,
    }


def charge_line(reference: str = "MIG-7", /, **fields: Value) -> Object:
    """A migration for 800.00."""
    return {
        "kind": "charge",
        "reference": reference,
        "organization": "orga_atlas",
        "type": "one_shot",
        "description": "Database migration",
        "quantity": "1",
        "unit_price": "800.00",
        "date": "2026-10-20",
        **fields,
    }


def grant_line(reference: str = "TRIAL-1", /, **fields: Value) -> Object:
    """20.00 of free credits for October."""
    return {
        "kind": "credit_grant",
        "reference": reference,
        "organization": "orga_atlas",
        "type": "free",
        "amount": "20.00",
        "starts_on": "2026-10-01",
        "expires_on": "2026-10-31",
        "priority": 0,
        "reason": "trial",
        **fields,
    }


def coupon_line(name: str = "WELCOME", /, **fields: Value) -> Object:
    """A coupon of 20.00 for 2026."""
    return {
        "kind": "coupon",
        "name": name,
        "amount": "20.00",
        "currency": "EUR",
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "credits_last_days": 60,
        "maximum_uses": 100,
        **fields,
    }


def payment_line(reference: str = "PAY-1", /, **fields: Value) -> Object:
    """A bank transfer of 100.00."""
    return {
        "kind": "payment",
        "reference": reference,
        "organization": "orga_atlas",
        "amount": "100.00",
        "date": "2026-11-05",
        "method": "bank_transfer",
        "invoice": None,
        **fields,
    }


BASICS = (organization_line(), resource_line(), meter_line())
"""What a usage line refers to."""


def import_lines(*lines: Object | bytes, at: datetime = AT) -> ImportReport:
    """Import lines: objects, or bytes as they are in the file."""
    raw = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines]
    return import_data(stream=BytesIO(b"\n".join(raw) + b"\n"), at=at)


def counts(report: ImportReport) -> tuple[int, int, int]:
    """Accepted, unchanged and rejected."""
    return report.accepted, report.unchanged, len(report.refusals)


def reasons(report: ImportReport) -> dict[int, str]:
    """Why lines were rejected, by number."""
    return {refusal.number: refusal.reason for refusal in report.refusals}
