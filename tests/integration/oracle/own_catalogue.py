"""What every story has besides the real price system: meters, prices and plans of its own, in two currencies."""

from __future__ import annotations

from decimal import Decimal

from tests.integration.oracle.basics import Json, Month
from tests.integration.oracle.customers import Meter

# Catalogue prices change on day 13, negotiated ones on day 6 or 20: a record of at most three days meets one change.
CATALOGUE_DAY = 13
NEGOTIATED_DAYS = (6, 20)
FOREVER = "2024-01-01"
ZONES = ("par", "rbx", "PAR", "mtl")
PLANS = 6
FREE_TIERS = [
    Meter("heptapod.public_active_users", "User", largest=60),
    Meter("cellar.storage", "GB-hour", largest=40),
]


def fifteen_digits(price: Decimal) -> Decimal:
    """A unit price has at most 15 significant digits."""
    return Decimal(f"{price:.14e}") if price else Decimal(0)


def definitions() -> list[Json]:
    lines: list[Json] = []
    for currency in ("EUR", "USD"):
        for plan, price in enumerate(["49.00", "9.99", "0.00", "1250.00", "33.33", "7.05"]):
            lines.append(
                {
                    "kind": "add_on_plan",
                    "code": f"plan-{plan}-{currency}",
                    "name": f"Plan {plan}",
                    "monthly_price": price,
                    "currency": currency,
                }
            )
        lines += _own_prices(currency, FOREVER, 100)
    for meter in own_meters().values():
        category = "runtime" if meter.unit == "second" else "countable"
        lines.append(
            {"kind": "meter", "code": meter.code, "name": meter.code, "unit": meter.unit, "category": category}
        )
    return lines


def own_meters() -> dict[str, Meter]:
    meters = [
        Meter("gpu.H100", "second", ZONES),
        Meter("backup.kept", "GB-hour", ZONES, largest=3e4),
        Meter("mail.sent", "GB", ("par",), volume=True, largest=300),
    ]
    return {meter.code: meter for meter in meters}


def _own_prices(currency: str, valid_from: str, percent: int) -> list[Json]:
    """Any zone and an exact one; packages; volume; bounds by the hour."""

    def price(
        meter: str, zone: str | None, per: str, mode: str, *tiers: tuple[str | None, str], **more: object
    ) -> Json:
        written = [
            {"up_to": up_to, "unit_price": f"{fifteen_digits(Decimal(unit_price) * percent / 100):f}"}
            for up_to, unit_price in tiers
        ]
        return {
            "kind": "price",
            "meter": meter,
            "zone": zone,
            "currency": currency,
            "organization": None,
            "valid_from": valid_from,
            "per_quantity": per,
            "package_quantity": None,
            "mode": mode,
            "tiers": written,
            **more,
        }

    return [
        price("gpu.H100", None, "3600", "graduated", (None, "2.50")),
        price("gpu.H100", "par", "3600", "graduated", ("360000", "2.25"), (None, "1.999999999")),
        price("backup.kept", None, "1", "graduated", ("10", "0"), (None, "0.000291666666666667"), bounds_per_hour=True),
        price("backup.kept", "RBX", "10", "graduated", (None, "0.003"), package_quantity="10"),
        price("mail.sent", "par", "1", "volume", ("50", "0.31"), ("500", "0.27"), (None, "0.2"), package_quantity="5"),
    ]


def own_price_changes(month: Month) -> list[Json]:
    """One of the prices of this module changes within the month."""
    day = month.first_day.replace(day=CATALOGUE_DAY).isoformat()
    return [_own_prices(currency, day, 80 + month.number)[month.number % 3] for currency in ("EUR", "USD")]


def largest_record(code: str) -> float:
    """How large one record of the meter gets: large enough to climb its tiers."""
    known = {
        "cellar.storage": 2e7,
        "cellar.outbound": 2e4,
        "fsbucket.storage": 1e4,
        "heptapod.public_active_users": 150,
        "heptapod.private_active_users": 40,
    }
    return known.get(code, 5e5 if "storage" in code else 3e3)
