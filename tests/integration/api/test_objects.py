"""Putting and reading organizations and the like; posting what is recorded once."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from auditlog.models import LogEntry
from django.core.cache import cache
from django.urls import reverse

from billing.models import AddOn, ApiAnswer, ApiKey, Charge, Coupon, CreditEntry, CreditGrant
from organizations.models import Organization
from tests.builders.api import NOW, Program, make_key
from tests.builders.desk import desk
from tests.builders.imports import billing_object, organization_line, resource_line
from tests.builders.organizations import make_organization
from tests.builders.usage import make_resource

pytestmark = pytest.mark.django_db

PLAN = {"code": "support", "name": "Support", "monthly_price": "49.00", "currency": "EUR"}
ADD_ON = {
    "id": "addon_1",
    "organization": "orga_atlas",
    "plan": "support",
    "name": "Support",
    "started_on": "2026-09-12",
}
CHARGE = {
    "reference": "MIG-7",
    "organization": "orga_atlas",
    "type": "one_shot",
    "description": "Database migration",
    "quantity": "1",
    "unit_price": "800.00",
    "date": "2026-10-20",
}
GRANT = {"reference": "TRIAL-1", "organization": "orga_atlas", "type": "free", "amount": "20.00"}
COUPON = {"name": "WELCOME", "amount": "20.00", "currency": "EUR"}


@pytest.fixture(autouse=True)
def _at_nine() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def platform() -> Program:
    return Program(make_key())


def put_all(program: Program) -> list[tuple[str, dict[str, Any]]]:
    """One object of each kind that is put, and where."""
    organization = organization_line(
        "orga_atlas", billing=billing_object(), negotiated_refill="12.50", consumption_discount_percent="2.5"
    )
    objects: list[tuple[str, Any]] = [
        ("/api/organizations/orga_atlas", organization),
        ("/api/resources/app_api", resource_line("app_api", "orga_atlas")),
        ("/api/add-on-plans/support", PLAN),
        ("/api/add-ons/addon_1", ADD_ON),
    ]
    for url, body in objects:
        answer = program.put(url, body)
        assert answer.status_code == 201, answer.json()
    return objects


def test_what_is_put_is_read_and_may_be_put_again_as_it_was_read(platform: Program) -> None:
    for url, body in put_all(platform):
        read = platform.get(url)
        assert read.status_code == 200
        for name, value in body.items():
            if isinstance(value, dict):
                assert value.items() <= read.json()[name].items()
            else:
                assert read.json()[name] == value, name
        again = platform.put(url, read.json())
        assert again.status_code == 200
        assert again.json() == read.json()
        collection = url.rpartition("/")[0]
        assert platform.get(collection).json() == {"items": [read.json()], "next": None}


def test_the_log_of_changes_names_the_key(platform: Program) -> None:
    platform.put("/api/organizations/orga_atlas", organization_line())
    entry = LogEntry.objects.get_for_model(Organization).get()
    key = ApiKey.objects.get()
    assert (entry.actor, entry.additional_data) == (None, {"api_key": f"{key.name} ({key.prefix})"})

    listed = desk("Auditor").get(reverse("admin:auditlog_logentry_changelist"))
    assert f"API key {key.name} ({key.prefix})" in listed.content.decode()


def test_identifiers_may_hold_anything(platform: Program) -> None:
    make_organization(external_id="orga_atlas")
    for identifier, address in (
        ("a/b c?d", "a%2Fb%20c%3Fd"),
        ("a\nb\n", "a%0Ab%0A"),
        ("é", "%C3%A9"),
        ("outcomes", "outcomes"),
    ):
        body = {"id": identifier, "organization": "orga_atlas", "name": "api"}
        assert platform.put(f"/api/resources/{address}", body).status_code == 201
        assert platform.get(f"/api/resources/{address}").json()["id"] == identifier
    assert platform.get("/api/resources/%00").status_code == 404
    assert (
        platform.put("/api/resources/%00", {"id": "\0", "organization": "orga_atlas", "name": "a"}).status_code == 422
    )


def test_the_identifier_of_the_address_is_that_of_the_object(platform: Program) -> None:
    answer = platform.put("/api/organizations/orga_other", organization_line("orga_atlas"))
    assert (answer.status_code, answer.json()["code"]) == (409, "other_identity")
    assert not Organization.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"\xff", 400, "malformed_json"),
        (b'{"id":NaN}', 400, "malformed_json"),
        (b"[" * 100_000, 422, "invalid_object"),
        (b'{"id":' + b"[" * 100_000, 422, "invalid_object"),
        (b"[]", 422, "invalid_object"),
        (b"null", 422, "invalid_object"),
        (json.dumps(organization_line(note="hm")).encode(), 422, "invalid_object"),
        (json.dumps(organization_line(name=5)).encode(), 422, "invalid_object"),
        (json.dumps(organization_line(name="a\0")).encode(), 422, "invalid_object"),
        (json.dumps(organization_line(opened_on="2026-02-30")).encode(), 422, "invalid_object"),
        (json.dumps(organization_line(forecast_months=10**30)).encode(), 422, "invalid_object"),
        (json.dumps(organization_line(currency="XXX")).encode(), 409, "refused"),
        (json.dumps(organization_line(parent="orga_none")).encode(), 409, "unknown_reference"),
        (json.dumps(organization_line()).encode()[:-1] + b',"name":"twice"}', 422, "invalid_object"),
        (json.dumps(organization_line(kind="resource")).encode(), 422, "invalid_object"),
        (b'{"id":"' + b"a" * (2 << 20) + b'"}', 413, "body_too_large"),
    ],
)
def test_what_no_object_is(platform: Program, body: bytes, status: int, code: str) -> None:
    answer = platform.put("/api/organizations/orga_atlas", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert not Organization.objects.exists()


RECORDS: list[tuple[str, dict[str, str], Any]] = [
    ("/api/charges", CHARGE, Charge),
    ("/api/credit-grants", GRANT, CreditGrant),
    ("/api/coupons", COUPON, Coupon),
]


@pytest.mark.parametrize(("url", "body", "model"), RECORDS)
def test_what_is_recorded_once(platform: Program, url: str, body: dict[str, str], model: Any) -> None:
    make_organization(external_id="orga_atlas")
    name, value = next(iter(body.items()))
    first, again = platform.post(url, body), platform.post(url, body)
    assert (first.status_code, first.json()) == (201, {name: value, "status": "accepted"})
    assert (again.status_code, again.json()) == (200, {name: value, "status": "unchanged"})
    price = "unit_price" if "unit_price" in body else "amount"
    other = platform.post(url, {**body, price: "1.00"})
    assert (other.status_code, other.json()["code"]) == (409, "different_content")
    assert model.objects.count() == 1


@pytest.mark.parametrize(("url", "body", "model"), RECORDS)
def test_the_same_idempotency_key_gives_the_same_answer(
    platform: Program, url: str, body: dict[str, str], model: Any
) -> None:
    make_organization(external_id="orga_atlas")
    headers = {"Idempotency-Key": "k1"}
    first = platform.post(url, body, headers=headers)
    again = platform.post(url, body, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    other = platform.post(url, {**body, "note": "x"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert model.objects.count() == ApiAnswer.objects.count() == 1
    # Another program may use the same words.
    assert Program(make_key()).post(url, body, headers=headers).json()["status"] == "unchanged"


def test_what_is_refused_leaves_nothing_and_may_be_tried_again(platform: Program) -> None:
    headers = {"Idempotency-Key": "k1"}
    refused = platform.post("/api/credit-grants", GRANT, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "unknown_reference")
    assert not ApiAnswer.objects.exists()
    make_organization(external_id="orga_atlas")
    assert platform.post("/api/credit-grants", GRANT, headers=headers).status_code == 201
    assert CreditEntry.objects.get().amount_cents == 2_000


def test_an_idempotency_key_is_short_and_plain(platform: Program) -> None:
    for name in ("", "x" * 256, "a\tb"):
        answer = platform.post("/api/charges", CHARGE, headers={"Idempotency-Key": name})
        assert answer.json()["code"] == "invalid_idempotency_key"


def test_answers_are_forgotten_after_a_week(platform: Program) -> None:
    make_organization(external_id="orga_atlas")
    platform.post("/api/charges", CHARGE, headers={"Idempotency-Key": "k1"})
    with time_machine.travel("2026-12-01T09:00:00Z"):
        platform.post("/api/charges", {**CHARGE, "reference": "MIG-8"}, headers={"Idempotency-Key": "k2"})
    assert [answer.idempotency_key for answer in ApiAnswer.objects.all()] == ["k2"]


def test_a_key_of_an_organization_touches_no_other(platform: Program) -> None:
    put_all(platform)
    charlie = make_organization(external_id="orga_charlie")
    program = Program(make_key(organization=charlie))
    for url, body in (
        ("/api/organizations/orga_atlas", organization_line("orga_atlas", consumption_discount_percent="100")),
        ("/api/organizations/orga_new", organization_line("orga_new")),
        ("/api/organizations/orga_charlie", organization_line("orga_charlie", parent="orga_atlas")),
        ("/api/resources/app_new", resource_line("app_new", "orga_atlas")),
        ("/api/resources/app_api", resource_line("app_api", "orga_charlie")),
        ("/api/add-ons/addon_1", {**ADD_ON, "organization": "orga_charlie"}),
        ("/api/add-ons/addon_2", {**ADD_ON, "id": "addon_2"}),
    ):
        assert program.put(url, body).status_code == 409, url
    for url, record in (("/api/charges", CHARGE), ("/api/credit-grants", GRANT)):
        answer = program.post(url, record)
        assert (answer.status_code, answer.json()["code"]) == (409, "unknown_reference")
    for url in ("/api/organizations/orga_atlas", "/api/resources/app_api", "/api/add-ons/addon_1"):
        assert program.get(url).status_code == 404
    for url in ("/api/resources", "/api/add-ons"):
        assert program.get(url).json()["items"] == []
    assert [each["id"] for each in program.get("/api/organizations").json()["items"]] == ["orga_charlie"]
    assert AddOn.objects.get().organization.external_id == "orga_atlas"
    assert not Charge.objects.exists()
    own = program.put("/api/organizations/orga_charlie", organization_line("orga_charlie", name="Charlie"))
    assert own.json()["name"] == "Charlie"


def test_a_cursor_leads_through_a_list(platform: Program) -> None:
    atlas, other = make_organization(external_id="orga_atlas"), make_organization(external_id="orga_other")
    for number in range(5):
        make_resource(organization=atlas, external_id=f"app_{number}")
    make_resource(organization=other, external_id="app_other")
    query = {"organization": "orga_atlas", "limit": "2"}
    seen = []
    while True:
        page = platform.get("/api/resources", **query).json()
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == [f"app_{number}" for number in range(5)]
    for wrong in (
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "x"},
        {"cursor": "é"},
        {"cursor": "9" * 19},
        {"page": "2"},
    ):
        assert platform.get("/api/resources", **wrong).status_code == 400
    assert platform.get("/api/resources?limit=1&limit=2").status_code == 400
    assert platform.get("/api/resources?organization=%00").status_code == 400
