"""Render a document's number from its series' template, a date and a counter (domain page, section 7)."""

import datetime as dt
import re
from string import Formatter

# Directives of fixed width only: two counters can then never render to the same number.
DATE_FORMAT = re.compile(r"(?:%[YmdyjGV]|[A-Za-z0-9._/-])*", re.ASCII)
COUNTER_FORMAT = re.compile(r"(?:0(?:[1-9]|1[0-2]))?d?", re.ASCII)
LITERAL = re.compile(r"[A-Za-z0-9._/-]*", re.ASCII)


class InvalidTemplate(ValueError):
    """The template of a number series cannot be used."""


def check_template(template: str) -> None:
    """Raise InvalidTemplate unless the template can number documents.

    It consists of ASCII letters, digits and `.`, `_`, `/`, `-`, of `{counter}` at least once (optionally padded with
    zeros to at most 12 digits, `{counter:06d}`), and of `{date}` with the directives %Y %m %d %y %j %G %V: nothing
    that reaches into an object, and nothing that lets two counters give one number.
    """
    has_counter = False
    for literal, field, spec, conversion in _parse(template):
        if not LITERAL.fullmatch(literal):
            raise InvalidTemplate(f"Only letters, digits and . _ / - can surround the fields: {literal!r}.")
        if field is None:
            continue
        if conversion:
            raise InvalidTemplate(f"Conversions are not allowed: !{conversion}.")
        _check_field(field, spec or "")
        has_counter = has_counter or field == "counter"
    if not has_counter:
        raise InvalidTemplate("The template must contain {counter}, otherwise numbers would repeat.")


def render_number(template: str, *, date: dt.date, counter: int) -> str:
    """The number for this issue date and counter: `F{date:%Y%m%d}-{counter:06d}` gives `F20261101-000042`.

    A counter wider than its field is written in full. Raises InvalidTemplate, and ValueError for a counter below 1.
    """
    check_template(template)
    if counter < 1:
        raise ValueError(f"Numbers are counted from 1, not from {counter}.")
    return template.format(date=date, counter=counter)


def _parse(template: str) -> list[tuple[str, str | None, str | None, str | None]]:
    try:
        return list(Formatter().parse(template))
    except ValueError as error:
        raise InvalidTemplate(f"The template is not well formed: {error}.") from error


def _check_field(field: str, spec: str) -> None:
    if field == "counter":
        if not COUNTER_FORMAT.fullmatch(spec):
            raise InvalidTemplate(f"{{counter:{spec}}} is not a counter format; write {{counter:06d}} for six digits.")
    elif field == "date":
        if not DATE_FORMAT.fullmatch(spec):
            raise InvalidTemplate(f"{{date:{spec}}} is not a date format; write {{date:%Y%m%d}} for year, month, day.")
    else:
        raise InvalidTemplate(f"The only fields are date and counter, not {field!r}.")
