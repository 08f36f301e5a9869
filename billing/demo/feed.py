"""Objects as the file of NDJSON that `import_data` reads, made up while it is read."""

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import BinaryIO, cast

import msgspec

from billing.demo.accounts import Json

_OBJECTS_AT_ONCE = 500


class _Feed:
    """As much of a binary file as reading lines takes."""

    def __init__(self, objects: Iterable[Json]) -> None:
        self._lines = _encoded(objects)

    def readline(self, limit: int = -1) -> bytes:
        """Return the next line, b"" at the end; no line of ours is near any limit."""
        return next(self._lines, b"")


def as_file(objects: Iterable[Json]) -> BinaryIO:
    """Return a file of the objects, one a line."""
    return cast(BinaryIO, _Feed(objects))


def _encoded(objects: Iterable[Json]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for chunk in batched(objects, _OBJECTS_AT_ONCE, strict=False):
        yield from encoder.encode_lines(chunk).splitlines(keepends=True)
