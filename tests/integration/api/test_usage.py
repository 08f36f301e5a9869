"""Reporting usage: what is taken, what is refused and how, and that nothing a client sends is a 500."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from billing.models import UsageRecord
from organizations.models import Organization
from tests.builders.api import NOW, Program, make_key
from tests.builders.organizations import make_organization
from tests.builders.usage import make_meter, make_resource

pytestmark = pytest.mark.django_db

URL = "/api/usage"


@pytest.fixture(autouse=True)
def _at_nine() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def atlas() -> Organization:
    """An organization with an application."""
    organization = make_organization(external_id="orga_atlas")
    make_resource(organization=organization, external_id="app_api")
    make_meter(code="apps.S")
    return organization


def record(event_id: str = "e1", /, **fields: object) -> dict[str, object]:
    return {
        "source": "scaler",
        "event_id": event_id,
        "organization": "orga_atlas",
        "resource": "app_api",
        "meter": "apps.S",
        "zone": "par",
        "start": "2026-11-01T00:00:00Z",
        "end": "2026-11-03T14:24:34Z",
        "quantity": "224674",
        **fields,
    }


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


def post(body: object, **options: Any) -> Any:
    return Program(make_key("usage:write")).post(URL, body, **options)


def test_good_records_are_stored_even_when_others_are_bad(atlas: Organization) -> None:
    batch = [
        record("e1"),
        record("e2", quantity=5),
        record("e3", meter="apps.XXL"),
        record("e1"),
        record("e1", quantity="1"),
        record("e4", note="hm"),
        record("e5", zone=None),
        17,
        {**record("e6"), "kind": "usage"},
        record("e\0"),
    ]
    answer = post(batch)
    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 3,
        "unchanged": 1,
        "rejected": [
            {
                "index": 1,
                "code": "invalid_object",
                "detail": "quantity: text in quotes is expected, not a whole number.",
            },
            {"index": 2, "code": "unknown_meter", "detail": "Unknown meter: 'apps.XXL'."},
            {
                "index": 4,
                "code": "different_content",
                "detail": "This event was recorded before with other content; an event is never changed.",
            },
            {"index": 5, "code": "invalid_object", "detail": "There is no field note."},
            {"index": 7, "code": "invalid_object", "detail": "An object is expected, not a whole number."},
            {
                "index": 9,
                "code": "invalid_text",
                "detail": "A text of the record holds a NUL character or half a character.",
            },
        ],
    }
    assert sorted(UsageRecord.objects.values_list("event_id", flat=True)) == ["e1", "e5", "e6"]
    again = post(batch).json()
    assert (again["accepted"], again["unchanged"], len(again["rejected"])) == (0, 4, 6)


@pytest.mark.parametrize("is_lines", [False, True])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_batch_comes_as_a_list_or_as_lines_packed_or_not(
    atlas: Organization, is_lines: bool, is_packed: bool
) -> None:
    records = [record(f"e{number}") for number in range(5)]
    body = lines(*records) + b"\n  \n" if is_lines else json.dumps(records).encode()
    answer = post(
        gzip.compress(body[:100]) + gzip.compress(body[100:]) if is_packed else body,
        content_type="application/x-ndjson" if is_lines else "application/json; charset=utf-8",
        headers={"Content-Encoding": "gzip"} if is_packed else {},
    )
    assert answer.json() == {"accepted": 5, "unchanged": 0, "rejected": []}


def test_a_broken_line_stops_no_other(atlas: Organization) -> None:
    body = lines(record("e1")) + b'{"source":\n\n[1]\n\xff\n' + lines(record("e2"))
    answer = post(body, content_type="application/x-ndjson").json()
    assert answer["accepted"] == 2
    assert [(each["index"], each["code"]) for each in answer["rejected"]] == [
        (1, "malformed_json"),
        (2, "invalid_object"),
        (3, "malformed_json"),
    ]


@pytest.mark.parametrize("is_with_kind", [False, True])
def test_a_field_that_is_written_twice_is_refused_wherever_it_hides(atlas: Organization, is_with_kind: bool) -> None:
    kind = b'"kind":"usage",' if is_with_kind else b""
    plain = json.dumps(record("e1")).encode().replace(b"{", b"{" + kind, 1)
    twice = json.dumps(record("e2")).encode().replace(b"{", b"{" + kind + b'"quantity":"9",', 1)
    answer = post(b"[%b,%b]" % (plain, twice)).json()
    assert answer["accepted"] == 1
    assert answer["rejected"] == [
        {"index": 1, "code": "invalid_object", "detail": "The field quantity is written twice."}
    ]


def test_a_key_of_an_organization_reports_only_its_own(atlas: Organization) -> None:
    other = make_organization(external_id="orga_other")
    make_resource(organization=other, external_id="app_other")
    program = Program(make_key("usage:write", organization=other))
    batch = [
        record("e1"),
        record("e2", organization="orga_other", resource="app_other"),
        record("e3", organization="orga_other"),
    ]
    answer = program.post(URL, batch).json()
    assert answer["accepted"] == 1
    # As if the others did not exist.
    assert [each["code"] for each in answer["rejected"]] == ["unknown_organization", "unknown_resource"]


DEEP = b"[" * 100_000
BOMB = gzip.compress(b" " * (65 << 20), mtime=0)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b" ", {}, 400, "malformed_json"),
        (b"{", {}, 400, "malformed_json"),
        (b"{}", {}, 400, "malformed_json"),
        (b"null", {}, 400, "malformed_json"),
        (b'"text"', {}, 400, "malformed_json"),
        (b"[NaN]", {}, 400, "malformed_json"),
        (b"[-Infinity]", {}, 400, "malformed_json"),
        (b"[1e999999]", {}, 200, ""),
        (b"[" + b"9" * 5000 + b"]", {}, 200, ""),
        (b'["\xff"]', {}, 200, ""),
        (b"[\0]", {}, 400, "malformed_json"),
        ("[]".encode("utf-16"), {}, 400, "malformed_json"),
        (DEEP, {}, 400, "malformed_json"),
        (DEEP + b"]" * 100_000, {}, 400, "malformed_json"),
        (b"[" + b"1," * 50_000 + b"1]", {}, 413, "too_many_records"),
        (b"[" + b"1," * 2_000_000 + b"1]", {}, 413, "too_many_records"),
        (b"[]", {"Content-Encoding": "gzip"}, 400, "malformed_gzip"),
        (gzip.compress(b"[]" * 50, mtime=0)[:-9], {"Content-Encoding": "gzip"}, 400, "malformed_gzip"),
        (gzip.compress(b"[]", mtime=0) + b"more", {"Content-Encoding": "gzip"}, 400, "malformed_gzip"),
        (BOMB, {"Content-Encoding": "gzip"}, 413, "body_too_large"),
        (gzip.compress(BOMB, mtime=0), {"Content-Encoding": "gzip, gzip"}, 415, "unsupported_encoding"),
        (b"[]", {"Content-Encoding": "br"}, 415, "unsupported_encoding"),
        (b"[]", {"Content-Length": "104857600"}, 413, "body_too_large"),
        (b"[]", {"Content-Length": "many"}, 400, "malformed_length"),
    ],
)
def test_what_no_batch_is(body: bytes, headers: dict[str, str], status: int, code: str) -> None:
    answer = post(body, headers=headers)
    assert answer.status_code == status
    if code:
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == code
        assert answer.json()["status"] == status
        assert answer.json()["detail"].endswith(".")
    else:
        assert [each["code"] for each in answer.json()["rejected"]] == ["invalid_object"]


def test_another_media_type_is_refused() -> None:
    for media_type in ("text/csv", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert post(b"[]", content_type=media_type).json()["code"] == "unsupported_media_type"
