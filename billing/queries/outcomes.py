"""Outcomes of a close with the sentences of their reasons."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Min

from billing.models import BulkJobItem, CloseOutcome, Meter
from billing.queries.reasons import reason_sentence


def reason_sentences(outcomes: Iterable[CloseOutcome | BulkJobItem]) -> Mapping[int, str]:
    """Return the sentence of each row that has a reason, by its key, in one query for the meters they name."""
    rows = [outcome for outcome in outcomes if outcome.reason_code]
    meter_ids = {row.reason_values["meter_id"] for row in rows if "meter_id" in row.reason_values}
    codes = dict(Meter.objects.filter(pk__in=meter_ids).values_list("pk", "code")) if meter_ids else {}
    return {row.pk: reason_sentence(row.reason_code, _with_meter(row.reason_values, codes)) for row in rows}


@dataclass(frozen=True)
class ReasonCount:
    """How many outcomes of a month have a reason, and one of them."""

    number: int
    example: CloseOutcome


def count_reasons(month: date, kind: str) -> list[ReasonCount]:
    """Count the reasons of the outcomes of one kind in a month, the most frequent first, in two queries."""
    rows = CloseOutcome.objects.filter(month=month, kind=kind).order_by().values("reason_code")
    counts = list(rows.annotate(number=Count("*"), example=Min("pk")).order_by("-number", "reason_code"))
    examples = CloseOutcome.objects.in_bulk([row["example"] for row in counts])
    return [ReasonCount(row["number"], examples[row["example"]]) for row in counts]


def _with_meter(values: dict[str, str | int], codes: Mapping[int, str]) -> dict[str, str | int]:
    code = codes.get(int(values.get("meter_id", 0)))
    return values if code is None else {**values, "meter": code}
