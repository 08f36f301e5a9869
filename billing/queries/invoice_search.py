"""What a customer types to find an invoice: its number, its month, its day or its amount."""

import re
import unicodedata
from calendar import monthrange
from datetime import date

from django.db.models import Q
from django.utils.dates import MONTHS, MONTHS_AP

from billing.models import Invoice

_AMOUNT = re.compile(r"^(?:\d{1,12}|\d{1,3}(?P<separator>[.,])\d{3}(?:(?P=separator)\d{3}){0,2})(?:[.,]\d{1,2})?$")
_DECIMALS = re.compile(r"[.,](\d{1,2})$")
_YEAR = re.compile(r"^(?:19|20)\d\d$")
_MONTH = re.compile(r"^(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d{1,2})$|^(?P<m>\d{1,2})[-/.](?P<y>(?:19|20)\d\d)$")
_DAY = re.compile(
    r"^(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})$"
    r"|^(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>(?:19|20)\d\d)$"
)
_DAY_OF_MONTH = re.compile(r"^(\d{1,2})(?:er|st|nd|rd|th)?$")
_SPACES = str.maketrans("", "", " \xa0\u202f'")
_NOTHING = Q(pk__in=())


def matching(term: str) -> Q:
    """The condition that an invoice is what somebody looks for; a credit note's number finds the invoice it corrects.

    A month is "2026-10", "10/2026", "2026" or its name in the reader's language, with or without accents and the year.
    A day is the one of issue: "2026-11-01", "1/11/2026", "1 Nov 2026". An amount is the total, as pages print it or
    with a comma or a point.
    """
    term = " ".join("".join(" " if sign.isspace() else sign for sign in term if _counts(sign)).split())
    notes = Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE, number__icontains=term)
    wanted = Q(number__icontains=term) | Q(pk__in=notes.values("refers_to"))
    if (cents := _cents(term)) is not None:
        wanted |= Q(total_cents=cents)
    return wanted | _period(term)


def _counts(sign: str) -> bool:
    return sign.isprintable() or sign.isspace()


def _cents(term: str) -> int | None:
    digits = term.translate(_SPACES).strip("€").removeprefix("EUR").removesuffix("EUR")
    if not _AMOUNT.match(digits):
        return None
    decimals = _DECIMALS.search(digits)
    whole = re.sub("[.,]", "", digits[: decimals.start()] if decimals else digits)
    return int(whole) * 100 + int(decimals[1].ljust(2, "0") if decimals else 0)


def _period(term: str) -> Q:
    if _YEAR.match(term):
        return Q(consumption_month__year=int(term)) | Q(issue_date__year=int(term))
    if found := _MONTH.match(term):
        return _of_month(int(found["year"] or found["y"]), int(found["month"] or found["m"]))
    if found := _DAY.match(term):
        return _of_day(*(int(found[name] or found[name[0]]) for name in ("year", "month", "day")))
    return _in_words(_folded(term).replace(",", " ").split())


def _in_words(words: list[str]) -> Q:
    """A month's name, a year or none, a day or none, in any order: "August, 2026", "2026 august", "1 Sep 2026"."""
    months = [number for word in words if (number := _month_named(word))]
    years = [int(word) for word in words if _YEAR.match(word)]
    days = [int(found[1]) for word in words if (found := _DAY_OF_MONTH.match(word))]
    if len(months) != 1 or len(years) > 1 or len(days) > len(years) or len(words) != 1 + len(years) + len(days):
        return _NOTHING
    if days:
        return _of_day(years[0], months[0], days[0])
    if years:
        return _of_month(years[0], months[0])
    return Q(consumption_month__month=months[0]) | Q(issue_date__month=months[0])


def _of_month(year: int, number: int) -> Q:
    """Consumed or issued in it: people mean either."""
    if not 1 <= number <= 12:
        return _NOTHING
    first, last = date(year, number, 1), date(year, number, monthrange(year, number)[1])
    return Q(consumption_month=first) | Q(issue_date__range=(first, last))


def _of_day(year: int, month: int, day: int) -> Q:
    try:
        return Q(issue_date=date(year, month, day))
    except ValueError:
        return _NOTHING


def _month_named(word: str) -> int | None:
    """Its number, when the name begins like one in the reader's language: "oct", "october"."""
    word = word.strip(".")
    if len(word) < 3:
        return None
    for number in MONTHS:
        names = (_folded(str(MONTHS[number])), _folded(str(MONTHS_AP[number])).strip("."))
        if any(each.startswith(word) for each in names):
            return number
    return None


def _folded(text: str) -> str:
    """In small letters without accents, as people type names of months."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(sign))
