"""Bytes of an import file to lines."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from billing.usecases._imports.spools import RawLine

MAX_LINE_BYTES = 1 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class UnreadableFile(ValueError):
    """Nothing of the file can be read; the message is a sentence."""


def read_lines(stream: BinaryIO) -> Iterator[RawLine]:
    """Give the lines that are not blank, without their line breaks; a byte order mark of UTF-8 is left out.

    A line above one mebibyte is cut right behind that size, so that it does not fill the memory. Raises UnreadableFile
    for a file that begins with a byte order mark of UTF-16.
    """
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1:
            if raw.startswith(_UTF_16):
                raise UnreadableFile("The file is in UTF-16: save it as UTF-8.")
            raw = raw.removeprefix(codecs.BOM_UTF8)
        if not raw.endswith(b"\n") and len(raw) > MAX_LINE_BYTES:
            _skip_to_line_end(stream)
        if not raw.isspace():
            yield RawLine(number, raw.rstrip(b"\r\n"))


def _skip_to_line_end(stream: BinaryIO) -> None:
    while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass
