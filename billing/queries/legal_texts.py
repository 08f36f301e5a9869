"""Legal texts and exchange rates as they were on a day."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from billing.domain.documents import Exchange, Mention
from billing.models import ExchangeRate, LegalText

EURO = "EUR"
OLDEST_RATE = timedelta(days=7)
"""The bank publishes a rate each working day: an older one is not the last that was published."""


class LegalTexts:
    """Every text, read once for many documents."""

    def __init__(self) -> None:
        rows = LegalText.objects.order_by("valid_from").values_list("code", "language", "valid_from", "text")
        self._texts: dict[tuple[str, str], list[tuple[date, str]]] = {}
        for code, language, valid_from, text in rows:
            self._texts.setdefault((code, language), []).append((valid_from, text))

    def mentions(self, codes: Iterable[str], *, language: str, day: date) -> tuple[Mention, ...]:
        """The texts in force on a day; a text that is not there yet is left out, and the e-invoice's check says so."""
        found = ((code, self._text(code, language, day)) for code in codes)
        return tuple(Mention(code, text) for code, text in found if text)

    def _text(self, code: str, language: str, day: date) -> str:
        return next(
            (text for valid_from, text in reversed(self._texts.get((code, language), ())) if valid_from <= day), ""
        )


class ExchangeRates:
    """The rates of some currencies around some days, in one query, or none for euros."""

    def __init__(self, wanted: Collection[tuple[str, date]]) -> None:
        wanted = [(currency, day) for currency, day in wanted if currency != EURO]
        self._rates: dict[str, list[Exchange]] = {}
        if not wanted:
            return
        days = [day for _, day in wanted]
        rows = ExchangeRate.objects.filter(
            currency__in={currency for currency, _ in wanted}, day__range=(min(days) - OLDEST_RATE, max(days))
        )
        for currency, day, per_euro_micro in rows.order_by("day").values_list("currency", "day", "per_euro_micro"):
            self._rates.setdefault(currency, []).append(Exchange(day, per_euro_micro))

    def on(self, currency: str, day: date) -> Exchange | None:
        """The last rate that was published on a day; None when there is none of the week before."""
        published = (rate for rate in reversed(self._rates.get(currency, ())) if rate.day <= day)
        return next((rate for rate in published if day - rate.day <= OLDEST_RATE), None)
