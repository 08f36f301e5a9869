"""The description of the API: valid, complete, and true of what is decoded."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from msgspec import convert

from billing.api.schema.operations import example_of
from billing.api.schema.types import TYPES

from .test_access import ROUTES


@pytest.fixture(scope="module")
def schema() -> Any:
    """What programs read."""
    answer = Client().get("/api/schema/")
    assert answer["Content-Type"] == "application/vnd.oai.openapi+json"
    return answer.json()


def test_spectacular_has_nothing_to_complain_about() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_every_route_is_described_with_its_refusals(schema: Any) -> None:
    described = {
        (method.upper(), path) for path, operations in schema["paths"].items() for method in operations if method != "x"
    }
    assert len(described) == len(ROUTES)
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert "Takes the scope `" in operation["description"]
            assert operation["security"] == [{"key": []}]
            assert operation["responses"].keys() >= {"401", "403", "429", "503"}
            for status, response in operation["responses"].items():
                good = "text/csv" if operation["operationId"] == "read_focus" else "application/json"
                media_type = good if status < "300" else "application/problem+json"
                assert response["description"], status
                assert response["content"].keys() == {media_type}
            for parameter in operation.get("parameters", ()):
                assert parameter["description"]


def test_every_field_is_described(schema: Any) -> None:
    found = schema["components"]["schemas"]
    assert found.keys() == TYPES.keys()
    for name, component in found.items():
        assert component["description"], name
        for field, described in component["properties"].items():
            assert described["description"].endswith((".", "?")), f"{name}.{field}"


@pytest.mark.parametrize("name", TYPES)
def test_the_examples_are_of_their_type(name: str) -> None:
    example = example_of(name)
    example.pop("kind", None) if name not in {"InvoiceLine", "CreditEntry", "ForecastLine"} else None
    convert(json.loads(json.dumps(example)), TYPES[name], strict=False)


def test_people_read_it_without_anything_from_elsewhere() -> None:
    answer = Client().get("/api/docs/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "swagger-ui-bundle" in page
    assert "https://" not in page
    assert "<style" not in page
    assert "unsafe" not in answer["Content-Security-Policy"]
