"""Anchors: the last document of each series with its hash, kept outside the database.

Whoever may change everything in the database may also chain it anew, or clear all hashes; what was written down
elsewhere before does not change with it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from billing.models import Invoice
from billing.queries.verification._promises import Broken, issued

MARK = "anchor"


class Anchor(NamedTuple):
    """A document of a series as it was sealed: whose, of which kind, its number, its hash."""

    legal_entity_id: int
    kind: str
    number: str
    content_hash: str

    def __str__(self) -> str:
        return f"{MARK} {self.content_hash} {self.legal_entity_id} {self.kind} {self.number}"


class UnreadableAnchor(ValueError):
    """A line does not hold an anchor; the message is a sentence."""


def read_anchors(lines: Iterable[str]) -> list[Anchor]:
    """The anchors among the lines that an earlier run wrote, or printed among others. Raises UnreadableAnchor."""
    return [_read(line.strip()) for line in lines if line.startswith(f"{MARK} ")]


def _read(line: str) -> Anchor:
    parts = line.split(" ", maxsplit=4)
    if len(parts) != 5 or not parts[2].isdecimal() or parts[3] not in Invoice.Kind.values or len(parts[1]) != 64:
        raise UnreadableAnchor(f"{line!r:.160} is not an anchor: {MARK}, hash, legal entity, kind and number.")
    _mark, content_hash, legal_entity_id, kind, number = parts
    return Anchor(int(legal_entity_id), kind, number, content_hash)


def load_anchors() -> list[Anchor]:
    """The last document of each series that has a hash."""
    heads: dict[tuple[int, str], Anchor] = {}
    series = issued().order_by("legal_entity", "kind").values_list("legal_entity_id", "kind").distinct()
    for legal_entity_id, kind in series:
        sealed = issued().filter(legal_entity=legal_entity_id, kind=kind).exclude(content_hash="")
        last = sealed.order_by("-counter").values_list("number", "content_hash").first()
        if last is not None:
            heads[legal_entity_id, kind] = Anchor(legal_entity_id, kind, str(last[0]), last[1])
    return list(heads.values())


def broken_anchors(anchors: Iterable[Anchor]) -> Iterator[Broken]:
    """Series that do not contain an anchored document any more, or contain it with another hash."""
    for anchor in anchors:
        document = issued().filter(legal_entity=anchor.legal_entity_id, kind=anchor.kind, number=anchor.number)
        stored = document.values_list("content_hash", flat=True).first()
        series = f"series {anchor.kind} of legal entity {anchor.legal_entity_id}"
        if stored is None:
            yield Broken(series, f"{anchor.number}, which was issued when the anchor was written, is not there.")
        elif stored != anchor.content_hash:
            has = "another hash" if stored else "no hash any more"
            yield Broken(series, f"{anchor.number} has {has}: it, or something before it, was changed since.")
