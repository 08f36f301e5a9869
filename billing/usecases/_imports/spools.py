"""What an import keeps on disk while it reads: lines until it is their turn, and refusals until the report."""

from array import array
from collections.abc import Iterator
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, NamedTuple

IN_MEMORY_BYTES = 1 << 20


class RawLine(NamedTuple):
    """A line of the file and its number, counted from 1."""

    number: int
    raw: bytes


class LineSpool:
    """Lines of one group of kinds, in the order of the file."""

    def __init__(self) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # closed when collected

    def append(self, number: int, raw: bytes) -> None:
        """Keep a line, which holds no line break."""
        self._file.write(b"%d\t%b\n" % (number, raw))

    def batches(self, size: int) -> Iterator[list[RawLine]]:
        """Give the lines back, `size` at a time."""
        self._file.seek(0)
        while lines := list(islice(self._file, size)):
            yield [_split(line) for line in lines]


def _split(line: bytes) -> RawLine:
    number, _, raw = line.partition(b"\t")
    return RawLine(int(number), raw)


class Refusal(NamedTuple):
    """The number of a rejected line and the reason, a sentence."""

    number: int
    reason: str


class Refusals:
    """Rejected lines, however many: iterating gives them in the order of the file."""

    def __init__(self) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # closed when collected
        self._places = array("Q")

    def append(self, number: int, reason: str) -> None:
        """Add a refusal."""
        self._places.append(number << 32 | self._file.tell())
        self._file.write(" ".join(reason.split()).encode(errors="replace") + b"\n")

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Refusal]:
        for place in sorted(self._places):
            self._file.seek(place & 0xFFFF_FFFF)
            yield Refusal(place >> 32, self._file.readline().decode().rstrip("\n"))
        self._file.seek(0, 2)
