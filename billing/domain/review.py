"""What a reviewer is told about a draft: findings, each a code with a severity and the values of its sentence.

Pure: the same facts, draft and thresholds give the same findings in the same order, the gravest first.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Final, Literal

from msgspec import Struct, convert, json

from billing.domain.assembly import Draft
from billing.domain.facts import Facts
from billing.domain.money import mean_cents

type Severity = Literal["info", "warning", "blocking"]

SEVERITIES: Final[tuple[Severity, ...]] = ("blocking", "warning", "info")
"""The gravest first; a blocking finding has to be acknowledged before the draft can be issued."""

CONFLICT: Final = "adjustment_"
"""How the codes of conflicts with adjustments begin: they are decided by keeping or undoing the adjustment."""

E_INVOICE: Final = "e_invoice"
"""How the codes begin of what the check of the e-invoice found: it is mended, not acknowledged."""

RECENT_MONTHS: Final = 3
"""How many closed months a month is compared with."""


class Finding(Struct, frozen=True):
    """Something to know about a draft; `values` are what its sentence names, amounts in cents."""

    code: str
    severity: Severity = "warning"
    values: dict[str, str | int] = {}

    @property
    def is_conflict(self) -> bool:
        """Whether an adjustment does not fit its line any more; acknowledging does not help."""
        return self.code.startswith(CONFLICT)

    @property
    def is_of_e_invoice(self) -> bool:
        """Whether it is about the e-invoice; such findings are not stored with the draft."""
        return self.code.startswith(E_INVOICE)

    @property
    def digest(self) -> str:
        """32 hexadecimal digits for its code and values: acknowledging it says nothing of one with other values."""
        return blake2b(json.encode([self.code, self.values], order="sorted"), digest_size=16).hexdigest()


FIRST_INVOICE: Final = Finding("first_invoice", "info")


class Thresholds(Struct, frozen=True, gc=False):
    """From when on a draft is conspicuous; a percentage of None never is.

    Changes are percentages of the mean of the recent months, and amount to at least so many cents. The provision is a
    percentage of the highest recent consumption, this month's included.
    """

    jump_percent: int | None = 100
    drop_percent: int | None = 60
    least_change_cents: int = 10_000
    block_jump_percent: int | None = None
    block_change_cents: int = 5_000_000
    provision_percent: int | None = 200
    most_lines: int = 2_000


def review(facts: Facts, draft: Draft, thresholds: Thresholds) -> tuple[Finding, ...]:
    """Return what is conspicuous about a draft.

    A change is measured on the month's own consumption (its discount taken off, late usage left out) against the mean
    of the last three closed months, of those that exist. An organization without one has no history to differ from.
    """
    # A close reviews 100,000 drafts, most of which have nothing to tell: what is rare is looked at together.
    findings = [
        *_change(draft.own_consumption_cents, facts.recent_consumption_cents, thresholds),
        *_provision(facts, draft, thresholds),
    ]
    if draft.conflicts or draft.tax.finding or draft.lowered or facts.terms.negotiated_refill_until:
        findings += [*_conflicts(draft), *_tax(draft), *_lowered(draft), *_refill(facts)]
    if facts.late_usage or len(facts.usage.segment_starts) > 1:
        findings += [*_late_usage(facts, draft), *_price_changes(facts, draft)]
    if len(draft.usage) > thresholds.most_lines:
        findings.append(Finding("many_lines", "warning", {"lines": len(draft.usage), "most": thresholds.most_lines}))
    if facts.is_first_invoice:
        findings.append(FIRST_INVOICE)
    # Most drafts have nothing to sort, and a close reviews 100,000 of them.
    return tuple(sorted(findings, key=_gravity) if len(findings) > 1 else findings)


def stored_findings(notes: Sequence[Mapping[str, object]]) -> list[Finding]:
    """Read the findings that a draft keeps (`Invoice.review_notes`); those of old drafts have no severity."""
    return convert(notes, list[Finding])


def count_open(findings: Iterable[Finding], acknowledged: Collection[str]) -> int:
    """How many findings keep a draft from being issued: blocking ones whose digest nobody has acknowledged."""
    return sum(1 for finding in findings if finding.severity == "blocking" and finding.digest not in acknowledged)


def _gravity(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)


def _change(own_cents: int, recent_cents: Sequence[int], thresholds: Thresholds) -> Iterator[Finding]:
    """At most one: consumption that stopped, jumped or dropped."""
    if not recent_cents:
        return
    if own_cents == 0:
        if recent_cents[0]:
            yield Finding("zero_after_usage", "warning", {"previous_cents": recent_cents[0]})
        return
    mean = mean_cents(recent_cents)
    change = own_cents - mean
    if abs(change) < thresholds.least_change_cents:
        return
    values: dict[str, str | int] = {"own_cents": own_cents, "mean_cents": mean, "months": len(recent_cents)}
    if mean:
        values["percent"] = abs(change) * 100 // mean
    if change < 0:
        if _reaches(-change, mean, thresholds.drop_percent):
            yield Finding("drop", "warning", values)
    elif change >= thresholds.block_change_cents and _reaches(change, mean, thresholds.block_jump_percent):
        yield Finding("jump", "blocking", values)
    elif change and _reaches(change, mean, thresholds.jump_percent):
        yield Finding("jump", "warning", values)


def _reaches(part_cents: int, base_cents: int, percent: int | None) -> bool:
    """Whether a part is at least so many percent of a base; anything is of nothing."""
    return percent is not None and part_cents * 100 >= base_cents * percent


def _conflicts(draft: Draft) -> Iterator[Finding]:
    for conflict in draft.conflicts:
        values: dict[str, str | int] = {
            "adjustment": conflict.adjustment_id,
            "then_cents": conflict.then_cents,
            "now_cents": conflict.now_cents,
        }
        yield Finding(f"{CONFLICT}{conflict.code}", "blocking", values)


def _tax(draft: Draft) -> Iterator[Finding]:
    if draft.tax.finding:
        yield Finding("tax_finding", "warning", {"finding": draft.tax.finding})


def _lowered(draft: Draft) -> Iterator[Finding]:
    """Late usage that makes an earlier month cheaper: something is to be given back."""
    for line in sorted(draft.lowered, key=lambda line: (line.month, line.meter_id, line.amount_cents)):
        yield Finding(
            "late_usage_lowers_amount",
            "warning",
            {"month": f"{line.month:%Y-%m}", "meter_id": line.meter_id, "difference_cents": line.amount_cents},
        )


def _provision(facts: Facts, draft: Draft, thresholds: Thresholds) -> Iterator[Finding]:
    refill = draft.statement.refill_cents
    if not refill:
        return
    highest = max(draft.own_consumption_cents, *facts.recent_consumption_cents, 0)
    is_conspicuous = refill - highest >= thresholds.least_change_cents and refill > highest
    if is_conspicuous and _reaches(refill, highest, thresholds.provision_percent):
        yield Finding("provision_above_history", "warning", {"refill_cents": refill, "highest_cents": highest})


def _refill(facts: Facts) -> Iterator[Finding]:
    until, cents = facts.terms.negotiated_refill_until, facts.terms.negotiated_refill_cents
    if facts.is_refill_expired and until is not None and cents is not None and not facts.is_last_month:
        yield Finding("refill_expired", "warning", {"until": until.isoformat(), "refill_cents": cents})


def _late_usage(facts: Facts, draft: Draft) -> Iterator[Finding]:
    late = [line for line in draft.usage if line.month < facts.month.first_day]
    if late:
        months = sorted({f"{line.month:%Y-%m}" for line in late})
        cents = sum(line.amount_cents for line in late)
        yield Finding("late_usage", "info", {"months": ", ".join(months), "amount_cents": cents})


def _price_changes(facts: Facts, draft: Draft) -> Iterator[Finding]:
    """Resource, meter and zone that two versions of a price served within one month."""
    if all(len(usage.segment_starts) < 2 for usage in (facts.usage, *facts.late_usage)):
        return
    first_prices: dict[tuple[object, ...], int] = {}
    changed: dict[tuple[object, ...], int] = {}
    for line in draft.usage:
        key = line.month, line.organization_id, line.resource_id, line.meter_id, line.zone
        if first_prices.setdefault(key, line.price_id) != line.price_id:
            changed[key] = line.meter_id
    if changed:
        meter_id = min(changed.values())
        yield Finding("price_changed", "info", {"meter_id": meter_id, "lines": len(changed)})
