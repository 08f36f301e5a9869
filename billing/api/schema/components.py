"""Types and words to schemas. What the API decodes is described by what decodes it."""

import re
from typing import Any

import msgspec

from billing.api.schema.types import TYPES
from billing.api.schema.words import WORDS

type Schema = dict[str, Any]

# How numbers in strings are written; whoever stores them reads them so.
_AMOUNT = r"^[0-9]{1,12}(\.[0-9]{1,2})?$"
_MICRO = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"
_CURRENCY = r"^[A-Z]{3}$"
PATTERNS = {
    "Organization.negotiated_refill": _AMOUNT,
    "Organization.consumption_discount_percent": r"^[0-9]{1,2}(\.[0-9]{1,4})?$|^100$",
    "Organization.currency": _CURRENCY,
    "AddOnPlan.monthly_price": _AMOUNT,
    "AddOnPlan.currency": _CURRENCY,
    "Charge.quantity": _MICRO,
    "Charge.unit_price": _MICRO,
    "CreditGrant.amount": _AMOUNT,
    "Coupon.amount": _AMOUNT,
    "Coupon.currency": _CURRENCY,
    "UsageRecord.quantity": _MICRO,
}

REF = "#/components/schemas/{name}"
# Lines of the import format say their kind; an address says it as well.
_OPTIONAL = {"kind"}


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": REF.format(name=name)}


def page_of(name: str) -> Schema:
    """A page of a list."""
    return {
        "type": "object",
        "description": "A page of a list.",
        "properties": {
            "items": {"type": "array", "items": ref(name), "description": "In the order in which they were made."},
            "next": {
                "type": ["string", "null"],
                "description": "Send it as `cursor` to get the next page; null on the last one.",
                "examples": ["4711"],
            },
        },
        "required": ["items", "next"],
    }


def components() -> dict[str, Schema]:
    """The schemas of all types, with words and examples."""
    _, found = msgspec.json.schema_components(list(TYPES.values()), ref_template=REF)
    names = {kind.__name__: name for name, kind in TYPES.items()}
    return {names[name]: _worded(names[name], _renamed(schema, names)) for name, schema in sorted(found.items())}


def add_components(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """Hook of drf-spectacular: what operations refer to."""
    result["components"]["schemas"] = {**result["components"].get("schemas", {}), **components()}
    for operations in result["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return result


def _renamed(schema: Any, names: dict[str, str]) -> Any:
    """References and titles with the names of the API."""
    if isinstance(schema, list):
        return [_renamed(each, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    renamed = {key: _renamed(value, names) for key, value in schema.items()}
    if isinstance(renamed.get("$ref"), str):
        found = re.fullmatch(r"#/components/schemas/(\w+)", renamed["$ref"])
        if found and found[1] in names:
            renamed["$ref"] = REF.format(name=names[found[1]])
    return renamed


def _worded(name: str, schema: Schema) -> Schema:
    schema["title"] = name
    schema["required"] = [field for field in schema.get("required", ()) if field not in _OPTIONAL]
    for field, described in schema["properties"].items():
        sentence, example = WORDS.get(f"{name}.{field}") or WORDS[field]
        if "$ref" in described:
            described["allOf"] = [{"$ref": described.pop("$ref")}]
        described["description"] = sentence
        if pattern := PATTERNS.get(f"{name}.{field}"):
            _texts(described)["pattern"] = pattern
        if example is not None:
            described["examples"] = [example]
    return schema


def _texts(described: Schema) -> Schema:
    """The part of a field's schema that is about text."""
    texts: Schema = next((each for each in described.get("anyOf", ()) if each.get("type") == "string"), described)
    return texts
