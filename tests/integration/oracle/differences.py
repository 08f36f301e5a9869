"""Compares what was predicted with what was exported, and says where they part in words a person can use."""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from typing import Any

from tests.integration.oracle.basics import Json
from tests.integration.oracle.records import ANY

MONEY = re.compile(r"-?\d+\.\d\d")
NUMBERS = ("quantity", "unit_price")  # compared as numbers: "49.00" is "49"
PRINTED_ORDER = ("provision", "regularization", "add_on", "one_shot", "custom_service", "adjustment", "discount")


def differences(month: str, expected: list[Json], exported: list[Json]) -> list[str]:
    """One sentence per difference: organization, month, field, expected, got. Empty when all agrees to the cent."""
    invoices = {line["organization"]: line for line in exported if line["type"] == "invoice"}
    wanted = {line["organization"]: line for line in expected}
    found = [f"{name} {month}: no invoice, expected {summary(wanted[name])}" for name in wanted.keys() - invoices]
    found += [f"{name} {month}: unexpected invoice {summary(invoices[name])}" for name in invoices.keys() - wanted]
    found.sort()
    if [line["organization"] for line in exported] != sorted(line["organization"] for line in exported):
        found.append(f"{month}: organizations are not sorted by code point")
    for name in sorted(wanted.keys() & invoices.keys()):
        found += [f"{name} {month} {text}" for text in _document(wanted[name], invoices[name])]
    return found


def summary(document: Json) -> str:
    lines = ", ".join(f"{line['kind']} {line['net_amount']}" for line in document["lines"])
    return f"{document['status']} of {document['total']} ({lines}), fees {document['fees']}"


def _document(expected: Json, got: Json) -> list[str]:
    found = _inner_contradictions(got)
    if any(not line.get("exact", True) for line in expected["lines"]):
        found += _shares(expected, got)
        expected, got = _without_shares(expected), _without_shares(got)
    for name, value in expected.items():
        if name == "usage":
            found += _usage(value, got["usage"])
        elif name in {"lines", "tax"}:
            found += _sequence(name, value, got[name])
        elif name == "statement":
            found += _fields("statement.", value, got["statement"])
        else:
            found += _fields("", {name: value}, got)
    return found


def _fields(prefix: str, expected: Json, got: Json) -> list[str]:
    return [
        f"{prefix}{name}: expected {value!r}, got {got.get(name, '<missing>')!r}"
        for name, value in expected.items()
        if not _same(name, value, got.get(name, "<missing>"))
    ]


def _same(name: str, expected: Any, got: Any) -> bool:
    if expected == ANY:
        return bool(got != "<missing>" and (name != "number" or got))
    if name in NUMBERS and isinstance(expected, str) and isinstance(got, str):
        return Decimal(expected) == Decimal(got)
    return bool(expected == got)


def _sequence(name: str, expected: list[Json], got: list[Json]) -> list[str]:
    if len(expected) != len(got):
        return [f"{name}: expected {len(expected)}, got {len(got)}:{_table(expected)}\n  got{_table(got)}"]
    found = []
    for index, (one, other) in enumerate(zip(expected, got, strict=True)):
        found += _fields(f"{name}[{index}] {one.get('kind', '')}.", one, other)
    return found


def _table(lines: list[Json]) -> str:
    return "".join("\n    " + " ".join(str(value) for value in line.values()) for line in lines)


def _usage(expected: list[Json], got: list[Json]) -> list[str]:
    """The order of details is the system's own choice (by name, by resource): compared as a set of lines."""
    # A discount of 0.00 may be printed or not.
    got = [entry for entry in got if not (entry["meter"] == "discount" and Decimal(entry["amount"]) == 0)]
    wanted, there = _by_key(expected), _by_key(got)
    found = [f"usage {_words(key)}: missing, expected {wanted[key]['amount']}" for key in wanted if key not in there]
    found += [f"usage {_words(key)}: unexpected {there[key]['amount']}" for key in there if key not in wanted]
    for key in wanted.keys() & there.keys():
        found += _fields(f"usage {_words(key)}.", wanted[key], there[key])
    return sorted(found)


def _by_key(entries: list[Json]) -> dict[tuple[str, ...], Json]:
    keyed: dict[tuple[str, ...], Json] = {}
    for entry in entries:
        names = ("organization", "resource", "meter", "zone", "month", "price_valid_from")
        key = tuple(str(entry[name]) if name in entry else "<missing>" for name in names)
        if entry["meter"] == "discount":
            key = ("discount",)
        while key in keyed:  # two lines that only their price tells apart, or one printed twice
            key = (*key, "again")
        keyed[key] = entry
    return keyed


def _words(key: tuple[str, ...]) -> str:
    return "/".join(key)


def _shares(expected: Json, got: Json) -> list[str]:
    """Where cents of the discount may fall on either month: every month's share within two of them."""
    wanted, there = _share_of_month(expected), _share_of_month(got)
    return [
        f"regularization of {month}: expected about {wanted[month]}, got {there[month]}"
        for month in sorted({*wanted, *there})
        if abs(wanted[month] - there[month]) > Decimal("0.02")
    ]


def _share_of_month(document: Json) -> defaultdict[str, Decimal]:
    lines = [line for line in document["lines"] if line["kind"] == "regularization"]
    return defaultdict(Decimal, {line["period_start"]: Decimal(line["net_amount"]) for line in lines})


def _without_shares(document: Json) -> Json:
    return {**document, "lines": [line for line in document["lines"] if line["kind"] != "regularization"]}


def _inner_contradictions(got: Json) -> list[str]:
    """What an exported invoice must satisfy whatever was predicted."""
    found = [f"{name}: {text!r} is not an amount" for name, text in _amounts(got) if not _well_written(text)]
    if found:
        return found
    sums = {
        "fees and the sum of usage": (got["fees"], [entry["amount"] for entry in got["usage"]]),
        "subtotal and the sum of lines": (got["subtotal"], [line["net_amount"] for line in got["lines"]]),
        "regularization and its lines": (
            got["regularization"],
            [line["net_amount"] for line in got["lines"] if line["kind"] == "regularization"],
        ),
        "subtotal and the tax bases": (got["subtotal"], [tax["base"] for tax in got["tax"]]),
        "vat and the tax subtotals": (got["vat"], [tax["vat"] for tax in got["tax"]]),
        "total and subtotal + vat": (got["total"], [got["subtotal"], got["vat"]]),
    }
    for words, (total, parts) in sums.items():
        if Decimal(total) != sum(map(Decimal, parts), Decimal(0)):
            found.append(f"{words} differ: {total} is not the sum of {parts}")
    kinds = [PRINTED_ORDER.index(line["kind"].replace("custom_service", "one_shot")) for line in got["lines"]]
    if kinds != sorted(kinds):
        found.append(f"lines are not in the printed order: {[line['kind'] for line in got['lines']]}")
    if any(Decimal(line["net_amount"]) == 0 for line in got["lines"]):
        found.append("a line of 0.00 is printed")
    return found


def _amounts(got: Json) -> list[tuple[str, str]]:
    amounts = [(name, got[name]) for name in ("fees", "regularization", "subtotal", "vat", "total", "amount_due")]
    amounts += [(f"statement.{letter}", text) for letter, text in got["statement"].items()]
    amounts += [("line", line["net_amount"]) for line in got["lines"]]
    amounts += [("usage", entry["amount"]) for entry in got["usage"]]
    return amounts


def _well_written(text: object) -> bool:
    return isinstance(text, str) and MONEY.fullmatch(text) is not None and text != "-0.00"
