"""One line of an import file: bytes to a typed object, or a sentence that says what is wrong with it."""

import json
import re
from datetime import date
from typing import Literal

import msgspec

from billing.domain.periods import FIRST_YEAR, LAST_YEAR
from billing.usecases._imports.lines import BillingObject, Line, OrganizationLine, UsageLine
from billing.usecases._imports.reading import MAX_LINE_BYTES

_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)

_TYPES = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number with decimals",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "date": "a date such as 2026-10-31",
    "datetime": "a time such as 2026-10-31T23:59:59Z",
    "null": "null",
}
_CHOICES = {
    "type": "one_shot, custom_service (charges), free, prepaid (credit grants)",
    "mode": "graduated, volume",
    "method": "card, sepa_debit, bank_transfer",
    "billing.language": "fr, en",
}
_AT = re.compile(r" - at `\$\.?(?P<field>.*)`$")
_RULES: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"^Object missing required field `(?P<name>.*)`$"), "the field {name} is missing"),
    (re.compile(r"^Object contains unknown field `(?P<name>.*)`$"), "there is no field {name:.60}"),
    (re.compile(r"^Expected `str` of length <= (?P<n>\d+)$"), "it is longer than {n} characters"),
    (re.compile(r"^Expected `str` of length >= 1$"), "it is empty"),
    (re.compile(r"^Expected `str` of length >= (?P<n>\d+)$"), "it is shorter than {n} characters"),
    (re.compile(r"^Expected `array` of length >= 1$"), "the list is empty"),
    (re.compile(r"^Expected `array` of length <= (?P<n>\d+)$"), "the list is longer than {n}"),
    (re.compile(r"^Expected `int` (?P<bound>[<>]= -?\d+)$"), "a number {bound} is expected"),
    (re.compile(r"^Expected `datetime` with a timezone component$"), "a time needs an offset from UTC, or Z"),
    (re.compile(r"^Invalid RFC3339 encoded date$"), "a date is written such as 2026-10-31"),
    (re.compile(r"^Invalid RFC3339 encoded datetime$"), "a time is written such as 2026-10-31T23:59:59Z"),
    (re.compile(r"^Invalid enum value (?P<value>.*)$"), "{value:.60} is not one of {choices}"),
    (re.compile(r"^Invalid value (?P<value>.*)$"), "{value:.60} is not known"),
]
_EXPECTED = re.compile(r"^Expected `(?P<wanted>[^`]*)`(?:, got `(?P<got>[^`]*)`)?$")
_NOT_UTF_8 = "The line is not UTF-8: save the file in that encoding."
PLAIN_QUOTES = 36
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


class UnreadableLine(ValueError):
    """A line is not an object of the format; the message is a sentence."""

    code: Literal["malformed_json", "invalid_object"] = "invalid_object"


class MalformedLine(UnreadableLine):
    """A line is not even JSON in UTF-8."""

    code = "malformed_json"


def decode_line(raw: bytes) -> Line:
    """Read one line. Raises UnreadableLine for broken JSON, another encoding, unknown, doubled or missing fields."""
    return decode_object(raw, _decoder)


def decode_object[Kind: Line](raw: bytes, decoder: msgspec.json.Decoder[Kind]) -> Kind:
    """Read one object with the decoder of its kind, or of all; see `decode_line`. Where one kind only is expected, the
    field `kind` may be left out.
    """
    if len(raw) > MAX_LINE_BYTES:
        raise UnreadableLine("The line is longer than one mebibyte.")
    try:
        line = decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise UnreadableLine(_explain(str(error))) from error
    except msgspec.DecodeError as error:
        raise MalformedLine(explain_syntax(raw, str(error))) from error
    except UnicodeDecodeError as error:
        raise MalformedLine(_NOT_UTF_8) from error
    except RecursionError as error:
        raise MalformedLine("The line is nested too deeply.") from error
    _check_repetition(raw, line)
    _check_values(line)
    return line


def _explain(message: str) -> str:
    """Say what msgspec found in words: the field first, then what is wrong with it."""
    at = _AT.search(message)
    field = at["field"] if at else ""
    problem = message[: at.start()] if at else message
    for pattern, sentence in _RULES:
        if match := pattern.match(problem):
            problem = sentence.format(**match.groupdict(), choices=_CHOICES.get(field, "the choices"))
            break
    else:
        if match := _EXPECTED.match(problem):
            problem = " or ".join(_TYPES.get(kind, kind) for kind in match["wanted"].split(" | ")) + " is expected"
            problem += f", not {_TYPES.get(match['got'], match['got'])}" if match["got"] else ""
    text = f"{field}: {problem}" if field else problem[:1].upper() + problem[1:]
    return f"{text}."


def explain_syntax(raw: bytes, message: str) -> str:
    """Say why bytes are no JSON, given what msgspec says about them."""
    if b"\0" in raw:
        return "The line holds NUL characters: is the file in UTF-16? Save it as UTF-8."
    try:
        raw.decode()
    except UnicodeDecodeError:
        return _NOT_UTF_8
    if _HALF_CHARACTER.search(raw):
        return "The line is not valid JSON: it holds half a character (a lone surrogate)."
    return f"The line is not valid JSON: {message.removeprefix('JSON is malformed: ')}."


def _check_repetition(raw: bytes, line: Line) -> None:
    """Refuse a field that is written twice: of its two values msgspec would take the last.

    Parsing again costs more than all the rest, so of usage only the quotes are counted: the nine names and values of a
    plain record have four each (so has its kind), a zone that is null two less, one that is left out four less.
    Whatever is written twice adds to that.
    """
    if isinstance(line, UsageLine):
        quotes = raw.count(b'"') - 4 * count_kinds(raw)
        if quotes in ((32, 34) if line.zone is None else (PLAIN_QUOTES,)):
            return
    json.loads(raw, object_pairs_hook=_refuse_repetition)


def count_kinds(raw: bytes) -> int:
    """How often usage says its kind, as it is usually written. No text can hold that: its quotes would be escaped."""
    return raw.count(b'"kind":"usage"') + raw.count(b'"kind": "usage"')


def _refuse_repetition(pairs: list[tuple[str, object]]) -> None:
    names = set()
    for name, _ in pairs:
        if name in names:
            raise UnreadableLine(f"The field {name} is written twice.")
        names.add(name)


def _check_values(line: Line) -> None:
    """Refuse text that a database cannot keep and years that no calendar here reaches."""
    if isinstance(line, UsageLine):
        return  # record_usage looks at both
    for name in line.__struct_fields__:
        value = getattr(line, name)
        if isinstance(value, str):
            _check_text(name, value)
        elif isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise UnreadableLine(f"{name}: the year {value.year} is out of range.")
    if isinstance(line, OrganizationLine) and line.billing is not None:
        for name in BillingObject.__struct_fields__:
            _check_text(f"billing.{name}", getattr(line.billing, name))


def _check_text(name: str, value: object) -> None:
    if isinstance(value, str) and "\0" in value:
        raise UnreadableLine(f"{name}: it holds a NUL character.")
