"""What the calculator keeps of what it received, and what it concludes from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from tests.integration.oracle.basics import Json, Month, money
from tests.integration.oracle.catalogue import Price

# Free text, and figures that the rule book does not fix: whatever the system prints is accepted.
ANY = "<any>"


class Blocked(Exception):
    """The organization cannot be billed; the text says why."""


@dataclass(frozen=True)
class Grant:
    reference: str
    organization: str
    free: bool
    cents: int
    starts_on: date
    expires_on: date | None
    priority: int

    def usable_in(self, month: Month) -> bool:
        """Started by the last day of the month and not expired before its first; whole months, not days (§6)."""
        return self.starts_on <= month.last_day and not (
            self.expires_on is not None and self.expires_on < month.first_day
        )

    def expires_in(self, month: Month) -> bool:
        return self.expires_on is not None and month.first_day <= self.expires_on <= month.last_day

    @property
    def order_of_use(self) -> tuple[int, date, date, str]:
        """Priority, then soonest expiry, then oldest (§5)."""
        return (self.priority, self.expires_on or date.max, self.starts_on, self.reference)


@dataclass(frozen=True)
class Usage:
    """One usage record. ``key`` is unique: the same event id may come back in another month."""

    key: tuple[str, str, str]
    organization: str
    resource: str
    meter: str
    zone: str
    start: datetime
    end: datetime
    quantity: Fraction


@dataclass(frozen=True)
class LineKey:
    """A printed usage line is one (sub-organization, resource, meter, zone, price version, month) (§6)."""

    organization: str
    resource: str
    meter: str
    zone: str
    price: Price
    month: Month


@dataclass(frozen=True)
class Part:
    """What one usage record puts on one line."""

    usage: tuple[str, str, str]
    line: LineKey
    quantity: Fraction


@dataclass(frozen=True)
class UsageLine:
    key: LineKey
    quantity: Fraction
    cents: int


@dataclass(frozen=True)
class Share:
    """The regularization of one month. ``exact`` is False where the rule book leaves the cents open."""

    month: Month
    cents: int
    exact: bool


@dataclass
class Outcome:
    """What a month became for a payer: ``draft``, ``issued``, ``nil`` or ``blocked``."""

    payer: str
    month: Month
    kind: str
    reason: str = ""
    parts: frozenset[tuple[tuple[str, str, str], Month]] = frozenset()  # usage records, by month
    usage: list[UsageLine] = field(default_factory=list)
    own_cents: int = 0  # what the estimate looks at: the month's own consumption less its discount
    free_used: dict[str, int] = field(default_factory=dict)
    prepaid_used: int = 0
    provision: int = 0
    add_ons_until: dict[str, date] = field(default_factory=dict)
    charges: list[str] = field(default_factory=list)
    total: int = 0
    paid: int = 0
    document: Json = field(default_factory=dict)
    issue_date: date | None = None
    due_date: date | None = None

    @property
    def settled(self) -> bool:
        return self.kind == "issued" and self.paid >= self.total

    def exported(self) -> Json:
        issued = self.kind == "issued"
        return {
            **self.document,
            "number": ANY if issued else None,
            "status": "draft" if not issued else "paid" if self.settled else "pending",
            "issue_date": self.issue_date.isoformat() if self.issue_date else None,
            "due_date": self.due_date.isoformat() if self.due_date else None,
            "amount_due": money(max(0, self.total - self.paid)),
        }
