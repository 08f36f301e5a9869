"""Types and words to schemas. What the API decodes is described by what decodes it."""

import re
from typing import Any

import msgspec

from billing.api.schema.types import TYPES
from billing.api.schema.words import WORDS

type Schema = dict[str, Any]

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
                "examples": ["MTIz"],
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
        if example is not None:
            described["examples"] = [example]
    return schema
