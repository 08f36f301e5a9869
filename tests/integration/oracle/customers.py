"""The cast of the scenarios: who the customers are, where they live, what they run, how they pay."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

from tests.integration.oracle.basics import Json, Month, midnight
from tests.integration.oracle.vat import EU_RATES, VALID_VAT_NUMBERS

FRENCH_POSTCODES = (
    "54000",  # Nancy: 20 %
    "20200",  # Bastia
    "98000",  # Monaco, written as France
    "97110",  # Guadeloupe: 8.5 %
    "97200",  # Martinique
    "97400",  # Réunion
    "97300",  # Guyane: out of scope
    "97600",  # Mayotte
    "97500",  # Saint-Pierre-et-Miquelon
    "98800",  # Nouvelle-Calédonie
)
TERRITORIES = ("MC", "GP", "MQ", "RE", "GF", "YT", "PM", "BL", "MF", "WF", "PF", "NC")
ELSEWHERE = ("CH", "GB", "US", "NO", "CA", "JP", "MA")
MALFORMED = ("", "DE123", "FR00000000000", "not a number", "DE852353413", "XX0000000000")


def billing_cases() -> list[Json]:
    """Every case of the VAT table (§6): country, postcode, company or not, VAT number."""
    companies = [(country, "10000", True, VALID_VAT_NUMBERS[country]) for country in EU_RATES]
    cases = [("FR", postcode, index % 2 == 0, "") for index, postcode in enumerate(FRENCH_POSTCODES)]
    cases += [("FR", "75011", True, VALID_VAT_NUMBERS["FR"]), ("FR", "75011", False, "")]
    cases += [(country, "97100", index % 2 == 0, "") for index, country in enumerate(TERRITORIES)]
    cases += [(country, "", index % 2 == 0, "") for index, country in enumerate(ELSEWHERE)]
    cases += [("GB", "BT1 5GS", True, "XI123456789")]  # Northern Ireland: services are out of scope
    cases += [(country, "10000", True, MALFORMED[index % 6]) for index, country in enumerate(EU_RATES)]
    cases += [(country, "10000", False, "") for country in EU_RATES]
    return [_billing(*case) for case in _interleaved(cases, companies)]


def _interleaved[T](one: list[T], other: list[T]) -> list[T]:
    """So that also a small cast meets all kinds."""
    longest = max(len(one), len(other))
    return [group[index] for index in range(longest) for group in (one, other) if index < len(group)]


def _billing(country: str, postcode: str, is_company: bool, vat_number: str) -> Json:
    return {
        "is_company": is_company,
        "company": "Atlas & Söhne" if is_company else "",
        "name": "Jane Doe",
        "address": "1 rue du Joli Cœur",
        "postcode": postcode,
        "city": "Somewhere",
        "country": country,
        "vat_number": vat_number,
        "siren": "",
        "email": "billing@example.org",
        "language": "fr",
    }


@dataclass
class Meter:
    """A meter as a resource uses it."""

    code: str
    unit: str
    zones: tuple[str, ...] = ("par",)
    volume: bool = False  # some price of it is of volume mode: late usage could lower it
    largest: float = 1e4


@dataclass
class Resource:
    id: str
    organization: str
    meters: list[Meter]


@dataclass
class Customer:
    """A payer with everything that is invented about it."""

    line: Json
    subs: list[Json]
    mood: str  # how usage develops
    pays: str  # how invoices are paid
    trouble: str | None  # what blocks it in its second month
    late: bool
    closes_on: date | None = None  # in its line from the start, or only when the day comes
    resources: list[Resource] = field(default_factory=list)
    settled_trouble: bool = False
    fixed_forecast: bool = False  # the mean of months before and after somebody joined is left open

    @property
    def id(self) -> str:
        identifier: str = self.line["id"]
        return identifier

    @property
    def opened_on(self) -> date:
        return date.fromisoformat(self.line["opened_on"])

    def window(self, month: Month) -> tuple[datetime, datetime]:
        """Where its usage of the month may lie; empty when the end is not after the start."""
        start = max(month.start, midnight(self.opened_on))
        end = min(month.end, midnight(self.closes_on)) if self.closes_on else month.end
        return start, end

    def allows(self, end: datetime) -> bool:
        return self.closes_on is None or end <= midnight(self.closes_on)

    def meters(self, code: str) -> list[Meter]:
        return [meter for resource in self.resources for meter in resource.meters if meter.code == code]

    def priced_in_par(self) -> tuple[Resource, Meter] | None:
        """Something that nobody has a price for anywhere else."""
        for resource in self.resources:
            for meter in resource.meters:
                if meter.zones == ("par",):
                    return resource, meter
        return None

    def close(self) -> list[Json]:
        """It and its sub-organizations: what becomes of an open one whose parent is closed is left open."""
        assert self.closes_on is not None
        for line in (self.line, *self.subs):
            line["closed_on"] = self.closes_on.isoformat()
        return [dict(line) for line in (self.line, *self.subs)]

    def only(self, resource: Resource) -> Customer:
        """The same customer, seen through one of its resources."""
        return replace(self, resources=[resource])

    def organizations(self) -> list[str]:
        return [self.id, *(sub["id"] for sub in self.subs)]


def invent_customer(rng: Random, index: int, first: Month, months: int, billing: Json) -> Customer:
    identifier = f"orga_{rng.choice('AZaz09')}{rng.getrandbits(64):016x}"
    opened_on = first.first_day - timedelta(days=rng.randrange(1, 400))
    if rng.random() < 0.3:
        month = first.plus(rng.randrange(months))
        opened_on = rng.choice([month.first_day, month.last_day, month.first_day + timedelta(days=rng.randrange(28))])
    forecast_months = rng.choice([0, 1, 1, 1, 2, 2, 3])
    negotiated = forecast_months > 0 and rng.random() < 0.15
    line = {
        "kind": "organization",
        "id": identifier,
        "name": f"Customer {index}",
        "parent": None,
        "currency": "EUR" if index % 12 != 11 else "USD",
        "opened_on": opened_on.isoformat(),
        "closed_on": None,
        "forecast_months": forecast_months,
        "negotiated_refill": rng.choice(["0.00", "100.00", "37.51", "1000.00"]) if negotiated else None,
        "consumption_discount_percent": rng.choice(["0", "0", "0", "10", "7.25", "33.33", "50"]),
        "payment_term_days": rng.choice([0, 15, 30, 30, 45, 60]),
        "billing": billing,
    }
    closing = rng.random() < 0.12 and Month(opened_on.year, opened_on.month) <= first
    closes_on = None
    if closing:
        closes_on = first.plus(rng.randrange(1, max(2, months))).first_day + timedelta(days=rng.randrange(27))
        line["closed_on"] = rng.choice([None, closes_on.isoformat()])
    customer = Customer(
        line=line,
        subs=[],
        mood=rng.choice(["steady", "steady", "growing", "falling", "restless", "silent", "within the free tier"]),
        pays="in full" if closing else rng.choice(["in full", "in full", "while drafted", "in parts", "never", "late"]),
        trouble=None if closing else rng.choice(["no price", "no city"]) if rng.random() < 0.08 else None,
        late=not closing and rng.random() < 0.4,
        closes_on=closes_on,
    )
    if rng.random() < 0.2:
        customer.subs = [invent_sub_organization(rng, line, number) for number in range(rng.randrange(1, 4))]
    return customer


def invent_sub_organization(rng: Random, parent: Json, number: int) -> Json:
    return {
        "kind": "organization",
        "id": f"orga_{rng.choice('AZaz09')}{rng.getrandbits(64):016x}",
        "name": f"{parent['name']} / {number}",
        "parent": parent["id"],
        "currency": parent["currency"],
        "opened_on": parent["opened_on"],
        "closed_on": parent["closed_on"],
        "forecast_months": 1,
        "payment_term_days": 30,
    }
