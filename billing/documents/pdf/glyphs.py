"""Make text printable: a letter that no bundled font has must not block a document (PDF/A forbids missing glyphs).

Latin, Greek, Cyrillic, Arabic and Hebrew print as they are; for anything else a box stands, one per letter.
"""

import re
import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

from billing.documents.pdf.files import regular_fonts

SUBSTITUTE = "□"
_LONGEST_WORD = 24
_LONG_WORD = re.compile(rf"\S{{{_LONGEST_WORD},}}")
_PIECE = re.compile(r".{12}(?=.)")
_ZERO_WIDTH_SPACE = "\u200b"
_JOINERS = (0x200C, 0x200D)  # Arabic letters change with them
_INVISIBLE = ("Cf", "Mn", "Me")  # directions, joiners, variation selectors, accents that no font can place


def printable(value: Any) -> Any:
    """Return a structure of dictionaries, lists and text with every text made printable."""
    match value:
        case str():
            return printable_text(value)
        case dict():
            return {key: printable(item) for key, item in value.items()}
        case list() | tuple():
            return [printable(item) for item in value]
        case _:
            return value


def printable_text(text: str) -> str:
    """Replace what cannot be shown, and mark where words too long for a column may break."""
    given = text
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    text = _unprintable().sub(_substitute, text)
    if not text.isascii():
        text = _marks().sub(_in_one_font, text)
    if given and not _is_seen(text):
        return SUBSTITUTE  # PDF/UA forbids headings without any text
    if len(text) < _LONGEST_WORD:
        return text
    return _LONG_WORD.sub(lambda word: _PIECE.sub(lambda piece: piece[0] + _ZERO_WIDTH_SPACE, word[0]), text)


def _is_seen(text: str) -> bool:
    return any(unicodedata.category(sign)[0] not in "CZ" for sign in text)


def _substitute(match: re.Match[str]) -> str:
    category = unicodedata.category(match[0])
    if category == "Cc" or category.startswith("Z"):
        return " "
    return "" if category in _INVISIBLE else SUBSTITUTE


def _in_one_font(match: re.Match[str]) -> str:
    """Keep those marks of a letter that a font has together with the letter: no other can be placed."""
    letter = match.string[match.start() - 1 : match.start()]
    if not letter.strip():
        return ""
    kept = ("".join(mark for mark in match[0] if ord(mark) in font) for font in _fonts() if ord(letter) in font)
    return max(kept, key=len, default="")


@cache
def _fonts() -> tuple[set[int], ...]:
    """The characters of each font. Raises FontsMissing."""
    return tuple(characters_of(font.read_bytes()) for font in regular_fonts())


@cache
def _marks() -> re.Pattern[str]:
    """Match the accents, vowel signs and joiners that follow a letter."""
    characters = set[int]().union(*_fonts())
    marks = {each for each in characters if each in _JOINERS or unicodedata.category(chr(each)).startswith("M")}
    return re.compile("[" + "".join(_ranges(marks)) + "]+")


@cache
def _unprintable() -> re.Pattern[str]:
    """Match one character that none of the fonts has. Line breaks are not characters to show."""
    characters = set[int]().union(*_fonts())
    shown = {ord("\n")} | {character for character in characters if _has_a_meaning(character)}
    return re.compile("[^" + "".join(_ranges(shown)) + "]")


def _has_a_meaning(character: int) -> bool:
    """PDF/A also forbids what fonts show but nobody else knows: private characters, and control characters."""
    return character in _JOINERS or not unicodedata.category(chr(character)).startswith("C")


def _ranges(characters: set[int]) -> Iterator[str]:
    start = previous = -1
    for character in [*sorted(characters), -1]:
        if character != previous + 1 or character < 0:
            if start >= 0:
                yield f"{re.escape(chr(start))}-{re.escape(chr(previous))}"
            start = character
        previous = character


def characters_of(font: bytes) -> set[int]:
    """Read which characters an OpenType font has: format 4 of its `cmap` table, and 12 beyond 65,535."""
    tables: int = struct.unpack_from(">H", font, 4)[0]
    records = [struct.unpack_from(">4sLLL", font, 12 + 16 * index) for index in range(tables)]
    cmap: int = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    found: set[int] = set()
    for index in range(struct.unpack_from(">H", font, cmap + 2)[0]):
        subtable = cmap + struct.unpack_from(">HHL", font, cmap + 4 + 8 * index)[2]
        match struct.unpack_from(">H", font, subtable)[0]:
            case 4:
                found.update(_format_4(font, subtable))
            case 12:
                found.update(_format_12(font, subtable))
    return found


def _format_4(font: bytes, at: int) -> Iterator[int]:
    """Segments of the basic plane; a glyph is looked up where a segment says so, and 0 means that there is none."""
    count: int = struct.unpack_from(">H", font, at + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", font, at + 14)
    starts, deltas, offsets = (
        struct.unpack_from(f">{count}H", font, at + 16 + 2 * count * column) for column in (1, 2, 3)
    )
    for index in range(count):
        where = at + 16 + 6 * count + 2 * index + offsets[index]
        for character in range(starts[index], min(ends[index], 0xFFFE) + 1):
            glyph = character
            if offsets[index]:
                glyph = struct.unpack_from(">H", font, where + 2 * (character - starts[index]))[0]
                if not glyph:
                    continue
            if (glyph + deltas[index]) & 0xFFFF:
                yield character


def _format_12(font: bytes, at: int) -> Iterator[int]:
    for group in range(struct.unpack_from(">L", font, at + 12)[0]):
        first, last, _ = struct.unpack_from(">LLL", font, at + 16 + 12 * group)
        yield from range(first, last + 1)
