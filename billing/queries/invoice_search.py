"""What a customer types to find an invoice: its number, its month or its amount."""

import re
from calendar import monthrange
from datetime import date

from django.db.models import Q
from django.utils.dates import MONTHS, MONTHS_AP

from billing.models import Invoice

_AMOUNT = re.compile(r"^\d{1,12}(?:[.,]\d{1,2})?$")
_YEAR = re.compile(r"^(?:19|20)\d\d$")
_MONTH = re.compile(r"^(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d{1,2})$|^(?P<m>\d{1,2})[-/.](?P<y>(?:19|20)\d\d)$")
_SPACES = str.maketrans("", "", " \xa0\u202f'")


def matching(term: str) -> Q:
    """The condition that an invoice is what somebody looks for; a credit note's number finds the invoice it corrects.

    A month is "2026-10", "10/2026", "2026" or its name in the reader's language, with or without the year; an amount
    is the total, with a comma or a point.
    """
    term = "".join(character for character in term if character.isprintable()).strip()
    notes = Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE, number__icontains=term)
    wanted = Q(number__icontains=term) | Q(pk__in=notes.values("refers_to"))
    if (cents := _cents(term)) is not None:
        wanted |= Q(total_cents=cents)
    return wanted | _months(term.lower())


def _cents(term: str) -> int | None:
    digits = term.translate(_SPACES).strip("€").removeprefix("EUR").removesuffix("EUR")
    if not _AMOUNT.match(digits):
        return None
    whole, _, decimals = digits.replace(",", ".").partition(".")
    return int(whole) * 100 + int(decimals.ljust(2, "0"))


def _months(term: str) -> Q:
    if _YEAR.match(term):
        return Q(consumption_month__year=int(term)) | Q(issue_date__year=int(term))
    if found := _MONTH.match(term):
        return _of_month(int(found["year"] or found["y"]), int(found["month"] or found["m"]))
    name, _, year = term.partition(" ")
    number = _month_named(name)
    if number is None or (year and not _YEAR.match(year)):
        return Q(pk__in=())
    return _of_month(int(year), number) if year else Q(consumption_month__month=number)


def _of_month(year: int, number: int) -> Q:
    """Consumed or issued in it: people mean either."""
    if not 1 <= number <= 12:
        return Q(pk__in=())
    first, last = date(year, number, 1), date(year, number, monthrange(year, number)[1])
    return Q(consumption_month=first) | Q(issue_date__range=(first, last))


def _month_named(name: str) -> int | None:
    """Its number, when the name begins like one in the reader's language: "oct", "october"."""
    if len(name.strip(".")) < 3:
        return None
    for number in MONTHS:
        names = (str(MONTHS[number]).lower(), str(MONTHS_AP[number]).lower().strip("."))
        if any(each.startswith(name.strip(".")) for each in names):
            return number
    return None
