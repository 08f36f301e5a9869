"""Whole invoices, read like a person would: data in by the commands, invoices out, compared with reviewed files.

A change that is meant shows in the diff of `tests/golden`; UPDATE_GOLDEN=1 rewrites the files for review.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from organizations.models import Organization
from tests.builders.customers import make_member
from tests.builders.tokens import program_of

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parents[2] / "golden"
NOVEMBER_2 = "2026-11-02T08:00:00+00:00"

type Object = dict[str, Any]


def _import(tmp_path: Path, objects: Iterable[Object]) -> None:
    file = tmp_path / "data.ndjson"
    file.write_text("\n".join(json.dumps(item) for item in objects), encoding="utf-8")
    call_command("import_data", str(file), stdout=StringIO())


def _export(month: str) -> list[Object]:
    out = StringIO()
    call_command("export_invoices", month, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def _check(name: str, *months: str) -> None:
    exported = {month: _export(month) for month in months}
    file = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(json.dumps(exported, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert exported == json.loads(file.read_text(encoding="utf-8"))


def _check_focus(name: str, month: str) -> None:
    """Issued, it is a dataset too."""
    _run("issue_invoices", month, "--date", "2026-11-02")
    out = StringIO()
    call_command("export_focus", month, stdout=out)
    file = GOLDEN / f"{name}.focus.csv"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(out.getvalue(), encoding="utf-8")
    assert out.getvalue() == file.read_text(encoding="utf-8")


def _check_customer_api(name: str) -> None:
    """What the customers' API says of all issued documents; prices are named by their order, not by their keys."""
    program = program_of(make_member("alice", Organization.objects.get(external_id="orga_atlas")))
    base = "/v4/billing/organisations/orga_atlas/invoices"
    listed = json.loads(program.get(base).content, parse_float=str)
    whole = [json.loads(program.get(f"{base}/{each['invoice_number']}").content, parse_float=str) for each in listed]
    text = json.dumps({"list": listed, "invoices": whole}, indent=1, ensure_ascii=False) + "\n"
    names: dict[str, str] = {}
    text = re.sub(
        r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", lambda id_: names.setdefault(id_[0], f"price {len(names) + 1}"), text
    )
    file = GOLDEN / f"{name}.v4.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def _run(*command: str) -> None:
    call_command(*command, stdout=StringIO())


def _organization(id_: str = "orga_atlas", **changes: Any) -> Object:
    billing = {
        "is_company": True,
        "company": "Atlas SAS",
        "address": "1 rue du Joli Cœur",
        "postcode": "54000",
        "city": "Nancy",
        "country": "FR",
    }
    return {
        "kind": "organization",
        "id": id_,
        "name": "Atlas",
        "currency": "EUR",
        "opened_on": "2026-01-15",
        "billing": billing | changes.pop("billing", {}),
        **changes,
    }


def _catalogue() -> list[Object]:
    """A runtime meter at 1.00 an hour, storage with a free tier per hour, users by the hundred."""
    return [
        {"kind": "meter", "code": "app.s", "name": "Application S", "unit": "second", "category": "runtime"},
        {"kind": "meter", "code": "disk", "name": "Storage", "unit": "GB-hour", "category": "countable"},
        {"kind": "meter", "code": "users", "name": "Active users", "unit": "User", "category": "countable"},
        _price("app.s", "3600", [(None, "1.00")]),
        _price("disk", "1", [("0.1", "0"), (None, "0.00229166666666667")], bounds_per_hour=True),
        _price("users", "100", [("100", "0"), (None, "8")], package_quantity="100"),
    ]


def _price(meter: str, per: str, tiers: Sequence[tuple[str | None, str]], **more: Any) -> Object:
    return {
        "kind": "price",
        "meter": meter,
        "zone": None,
        "currency": "EUR",
        "organization": None,
        "valid_from": "2026-01-01",
        "per_quantity": per,
        "package_quantity": None,
        "mode": "graduated",
        "tiers": [{"up_to": up_to, "unit_price": unit_price} for up_to, unit_price in tiers],
        **more,
    }


def _resource(id_: str, name: str, organization: str = "orga_atlas") -> Object:
    return {"kind": "resource", "id": id_, "organization": organization, "name": name}


def _usage(
    event: str, resource: str, meter: str, month: str, quantity: str, organization: str = "orga_atlas"
) -> Object:
    return {
        "kind": "usage",
        "source": "scaler",
        "event_id": event,
        "organization": organization,
        "resource": resource,
        "meter": meter,
        "zone": "par",
        "start": f"{month}-03T00:00:00Z",
        "end": f"{month}-20T14:24:34Z",
        "quantity": quantity,
    }


def _grant(amount: str, **more: Any) -> Object:
    return {
        "kind": "credit_grant",
        "reference": f"GRANT-{amount}",
        "organization": "orga_atlas",
        "type": "prepaid",
        "amount": amount,
        "starts_on": "2026-09-01",
        **more,
    }


@pytest.fixture
def given(tmp_path: Path) -> Iterable[Callable[..., None]]:
    """Import these objects on November 2nd."""
    with time_machine.travel(NOVEMBER_2, tick=False):
        yield lambda *objects: _import(tmp_path, objects)


def test_the_published_statement(given: Callable[..., None]) -> None:
    """691.35 of credits, 686.89 consumed, 682.43 to refill (outside the EU: no VAT)."""
    given(
        *_catalogue(),
        _organization(billing={"country": "CH", "city": "Genève", "postcode": "1201"}),
        _resource("app_1", "api-prod"),
        _grant("691.35"),
        # 686.89 hours at 1.00
        _usage("e1", "app_1", "app.s", "2026-10", str(68689 * 36)),
    )
    _run("close_month", "2026-10")

    _check("published_statement", "2026-10")
    _check_focus("published_statement", "2026-10")


def test_the_published_statement_with_sub_organizations(given: Callable[..., None]) -> None:
    """20.00 of credits, 114.63 consumed by two sub-organizations, a negotiated refill of nothing."""
    given(
        *_catalogue(),
        _organization(negotiated_refill="0.00"),
        {**_organization("orga_shop", name="Atlas Shop", parent="orga_atlas"), "billing": None},
        {**_organization("orga_blog", name="Atlas Blog", parent="orga_atlas"), "billing": None},
        _resource("app_shop", "shop", "orga_shop"),
        _resource("app_blog", "blog", "orga_blog"),
        _grant("20.00"),
        # 100.00 + 14.63 hours
        _usage("e1", "app_shop", "app.s", "2026-10", "360000", "orga_shop"),
        _usage("e2", "app_blog", "app.s", "2026-10", str(1463 * 36), "orga_blog"),
    )
    _run("close_month", "2026-10")

    _check("published_sub_organizations", "2026-10")
    _check_focus("published_sub_organizations", "2026-10")


def test_an_eventful_quarter(given: Callable[..., None]) -> None:
    """Trial credits, tiers, packages, an add-on, a charge, a discount, an unpaid invoice, a payment and late usage."""
    given(
        *_catalogue(),
        _organization(consumption_discount_percent="5"),
        _resource("app_1", "api-prod"),
        _resource("bucket_1", "pictures"),
        {"kind": "add_on_plan", "code": "support", "name": "Support", "monthly_price": "49.00", "currency": "EUR"},
        {
            "kind": "add_on",
            "id": "addon_1",
            "organization": "orga_atlas",
            "plan": "support",
            "name": "Premium support",
            "started_on": "2026-08-13",
            "ended_on": None,
            "quantity": 1,
        },
        {
            "kind": "charge",
            "reference": "MIG-7",
            "organization": "orga_atlas",
            "type": "one_shot",
            "description": "Database migration",
            "quantity": "2",
            "unit_price": "400.00",
            "date": "2026-09-20",
        },
        _grant("20.00", type="free", starts_on="2026-08-01", expires_on="2026-08-31", reason="trial"),
        _usage("aug", "app_1", "app.s", "2026-08", "45036"),
        _usage("sep", "app_1", "app.s", "2026-09", "453600"),
        _usage("oct", "app_1", "app.s", "2026-10", "444777"),
        _usage("disk", "bucket_1", "disk", "2026-10", "74400.5"),
        _usage("users", "bucket_1", "users", "2026-10", "101"),
    )
    _run("close_month", "2026-08")
    _run("issue_invoices", "2026-08", "--date", "2026-09-01")
    _run("close_month", "2026-09")
    _run("issue_invoices", "2026-09", "--date", "2026-10-01")
    given(
        {
            "kind": "payment",
            "reference": "PAY-1",
            "organization": "orga_atlas",
            "amount": _export("2026-08")[0]["total"],
            "date": "2026-10-05",
            "method": "bank_transfer",
            "invoice": None,
        },
        _usage("late", "app_1", "app.s", "2026-09", "3600"),
    )
    _run("close_month", "2026-10")

    _check("eventful_quarter", "2026-08", "2026-09", "2026-10")
    _run("issue_invoices", "2026-10", "--date", "2026-11-02")
    _check_customer_api("eventful_quarter")
