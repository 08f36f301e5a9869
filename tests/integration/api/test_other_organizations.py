"""Every route with the key of one organization, on what belongs to another: nothing is seen, and nothing stored."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from billing.domain.scopes import FOR_THE_PLATFORM
from billing.models import AddOn, AddOnPlan, Charge, CreditGrant, Resource, UsageMonth, UsageRecord
from organizations.models import BillingProfile, Organization
from tests.builders.api import NOW, Program, make_key
from tests.builders.closing import make_charge, make_metered_price
from tests.builders.credits import make_grant
from tests.builders.imports import organization_line, resource_line
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization
from tests.integration.api.test_access import ROUTES

pytestmark = pytest.mark.django_db

OWN = [route for route in ROUTES if route[2] not in FOR_THE_PLATFORM]
# Lists, a dataset and the catalogue hold what is the key's own, or everybody's.
OF_NOBODY = {
    *(
        f"/api/{name}"
        for name in ("organizations", "resources", "add-ons", "add-on-plans", "invoices", "credit-entries")
    ),
    *("/api/add-on-plans/orga_atlas", "/api/focus/2026-10"),
}
STORED = (Organization, BillingProfile, Resource, AddOn, Charge, CreditGrant, UsageRecord, UsageMonth)
ADD_ON = {"kind": "add_on", "id": "addon_1", "plan": "support", "name": "Mine", "started_on": "2026-09-12"}
CHARGE = {"kind": "charge", "reference": "C-1", "type": "one_shot", "description": "Work", "date": "2026-10-20"}
GRANT = {"kind": "credit_grant", "reference": "G-1", "type": "free", "amount": "20.00"}
# What belongs to atlas, as its own key would send it.
BODIES: dict[str, dict[str, Any]] = {
    "organizations": organization_line("orga_atlas", name="Mine"),
    "resources": resource_line("app_atlas", "orga_atlas", name="mine"),
    "add-ons": {**ADD_ON, "organization": "orga_atlas"},
    "charges": {**CHARGE, "organization": "orga_atlas", "quantity": "1", "unit_price": "800.00"},
    "credit-grants": {**GRANT, "organization": "orga_atlas"},
}
USAGE = {
    "source": "scaler",
    "event_id": "e1",
    "organization": "orga_atlas",
    "resource": "app_atlas",
    "meter": "apps.S",
    "zone": "par",
    "start": "2026-10-01T00:00:00Z",
    "end": "2026-10-01T01:00:00Z",
    "quantity": "1",
}


@pytest.fixture(autouse=True)
def _at_nine() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def atlas() -> Organization:
    """Somebody with one of everything."""
    atlas = make_organization(external_id="orga_atlas", name="Atlas")
    make_metered_price()
    Resource.objects.create(external_id="app_atlas", organization=atlas, name="atlas-api")
    plan = AddOnPlan.objects.create(code="support", name="Support")
    AddOn.objects.create(
        external_id="addon_1", organization=atlas, plan=plan, name="Atlas support", started_on=date(2026, 9, 12)
    )
    make_charge(organization=atlas, description="Atlas move")
    make_grant(organization=atlas, amount_cents=50_00)
    make_invoice(organization=atlas, status="pending", fees_cents=10_000)
    return atlas


def everything_stored() -> list[list[tuple[Any, ...]]]:
    return [list(model.objects.order_by("pk").values_list()) for model in STORED]


def send(program: Program, method: str, url: str) -> Any:
    """What the owner's program would send there, the identifiers of atlas in the address."""
    kind = url.removeprefix("/api/").split("/")[0]
    if kind == "usage":
        return program.send(method, url, [USAGE])
    if method == "GET":
        return program.get(url)
    return program.send(method, url, BODIES[kind])


def address_of(url: str) -> str:
    """The address of what atlas has, where a route is about one object."""
    names = {"resources": "app_atlas", "add-ons": "addon_1", "add-on-plans": "support"}
    kind = url.removeprefix("/api/").split("/")[0]
    return url.replace("orga_atlas", names[kind]) if kind in names else url


def test_what_belongs_to_another_is_neither_seen_nor_changed(atlas: Organization) -> None:
    stranger = Program(make_key(organization=make_organization(external_id="orga_borea", name="Borea")))
    before = everything_stored()
    for method, url, _scope in OWN:
        answer = send(stranger, method, address_of(url))
        assert everything_stored() == before, url
        assert b"Atlas" not in (answer.getvalue() if answer.streaming else answer.content), url
        if method == "GET":
            assert answer.status_code == (200 if url in OF_NOBODY else 404), url
        elif url == "/api/usage":
            assert (answer.json()["accepted"], answer.json()["rejected"][0]["code"]) == (0, "unknown_organization")
        else:
            assert 400 <= answer.status_code < 500, url


def test_the_owner_may(atlas: Organization) -> None:
    """The same requests are good ones: it is the key that makes the difference."""
    owner, number = Program(make_key(organization=atlas)), atlas.invoices.get().number
    for method, url, _scope in OWN:
        answer = send(owner, method, f"/api/invoices/{number}" if "/invoices/" in url else address_of(url))
        assert answer.status_code in (200, 201), url
        if url == "/api/usage":
            assert answer.json()["accepted"] == 1


@pytest.mark.parametrize(
    "terms",
    [
        {"consumption_discount_percent": "100"},
        {"negotiated_refill": "0.00"},
        {"negotiated_refill_until": "2027-01-31"},
        {"payment_term_days": 3_000},
        {"forecast_months": 12},
        {"currency": "USD"},
        {"closed_on": "2026-10-31"},
    ],
)
def test_the_owner_agrees_on_nothing_with_itself(atlas: Organization, terms: dict[str, Any]) -> None:
    owner, before = Program(make_key(organization=atlas)), everything_stored()
    body = BODIES["organizations"] | terms
    answer = owner.put("/api/organizations/orga_atlas", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")
    assert "cannot change its" in answer.json()["detail"]
    assert everything_stored() == before


def test_references_of_others_tell_nothing_of_what_they_stand_for(atlas: Organization) -> None:
    borea = make_organization(external_id="orga_borea", name="Borea")
    owner, stranger = Program(make_key(organization=atlas)), Program(make_key(organization=borea))
    for kind in ("charges", "credit-grants"):
        assert owner.send("POST", f"/api/{kind}", BODIES[kind]).status_code == 201
        same = stranger.send("POST", f"/api/{kind}", BODIES[kind] | {"organization": "orga_borea"})
        assert (same.status_code, same.json()["code"]) == (409, "different_content")
        assert "cannot be used" in same.json()["detail"]
        assert "amount" not in same.json()["detail"]
    taken = stranger.put("/api/resources/app_atlas", resource_line("app_atlas", "orga_borea"))
    assert "cannot be used" in taken.json()["detail"]
