"""What the demo's platform sells: meters with prices, add-on plans, coupons."""

from collections.abc import Iterator

from billing.demo.accounts import Json
from billing.demo.months import FourMonths

type Tiers = tuple[tuple[str | None, str], ...]

PRICE_DROP_DAY = 16
"""In the last issued month one price falls on this day, so that its usage is split."""

NEGOTIATED_MONTH_RATE = "0.0694444444444444"  # 50.00 EUR for 720 hours instead of 62.00

# Code, name, price of an hour. Most are a round price of 720 hours, with the digits that this takes.
RUNTIME = (
    ("web.nano", "Web instance nano", "0.0069"),
    ("web.s", "Web instance S", "0.0215277777777778"),
    ("web.m", "Web instance M", "0.0430555555555556"),
    ("web.l", "Web instance L", "0.0861111111111111"),
    ("web.xl", "Web instance XL", "0.172222222222222"),
    ("build.m", "Build runner M", "0.0583333333333333"),
    ("postgres.dev", "PostgreSQL development", "0.0104166666666667"),
    ("postgres.s", "PostgreSQL S", "0.0347222222222222"),
    ("postgres.m", "PostgreSQL M", "0.0847222222222222"),
    ("postgres.l", "PostgreSQL L", "0.215277777777778"),
    ("cache.s", "Cache S", "0.0173611111111111"),
    ("cache.m", "Cache M", "0.0451388888888889"),
    ("search.m", "Search M", "0.0965277777777778"),
    ("gpu.m", "GPU instance M", "0.845"),
)

UNPRICED_METER = "inference.tokens"
"""Measured since the last month, but nobody has set its price."""

PLANS = (
    ("support-standard", "Standard support", "39.00"),
    ("support-premium", "Premium support", "249.00"),
    ("static-ip", "Static IP address", "12.00"),
    ("log-archive", "Log archive, one year", "15.00"),
    ("private-network", "Private network", "80.00"),
)

OBJECT_STORAGE: Tiers = (
    ("100", "0.0000319444444444444"),  # 0.023 EUR per GB and 720 hours
    ("1000", "0.0000277777777777778"),
    (None, "0.0000208333333333333"),
)
OUTGOING_TRAFFIC: Tiers = (("100", "0"), ("5000", "0.045"), (None, "0.03"))
EDGE_REQUESTS: Tiers = (("50000000", "0.60"), ("500000000", "0.45"), (None, "0.30"))

WELCOME = "WELCOME"
EARLY_BIRD = "EARLY-BIRD"


def catalogue(months: FourMonths) -> Iterator[Json]:
    """Yield everything that is for sale when the story begins."""
    # The first object also remembers which months the story is about: see `story_of`.
    yield _coupon(WELCOME, "20.00", f"{months.first.first_day}", None, 60)
    yield _coupon(EARLY_BIRD, "60.00", f"{months.before(2)}", f"{months.last_day(1)}", 90)
    for code, name, hourly in RUNTIME:
        yield _meter(code, name, "second", "runtime")
        yield price(code, ((None, hourly),), per="3600")
    yield price("web.m", ((None, "0.0465"),), per="3600", zone="fra")
    yield price("postgres.m", ((None, "0.0915"),), per="3600", zone="fra")
    yield price("search.m", ((None, "0.0819444444444444"),), per="3600", since=f"{months.day(2, PRICE_DROP_DAY)}")
    yield _meter("storage.object", "Object storage", "GB-hour", "storage")
    yield price("storage.object", OBJECT_STORAGE, bounds_per_hour=True)
    yield _meter("storage.backup", "Backups", "GB-hour", "storage")
    yield price("storage.backup", ((None, "0.0000236111111111111"),))
    yield _meter("traffic.out", "Outgoing traffic", "GB", "network")
    yield price("traffic.out", OUTGOING_TRAFFIC)
    yield _meter("edge.requests", "Requests at the edge", "requests", "network")
    yield price("edge.requests", EDGE_REQUESTS, per="1000000", mode="volume")
    yield _meter("mail.sent", "Messages sent", "messages", "network")
    yield price("mail.sent", ((None, "0.35"),), per="1000", package="1000")
    yield _meter("git.seats", "Git hosting, users", "User", "seats")
    yield price("git.seats", (("10", "9.00"), (None, "7.50")), per="5", package="5")
    for code, name, monthly in PLANS:
        yield {"kind": "add_on_plan", "code": code, "name": name, "monthly_price": monthly, "currency": "EUR"}


def unpriced_meter() -> Json:
    """The meter of a product that went live before its price was set."""
    return _meter(UNPRICED_METER, "Inference, tokens", "tokens", "ai")


def price(
    meter: str,
    tiers: Tiers,
    *,
    per: str = "1",
    zone: str | None = None,
    organization: str | None = None,
    since: str | None = None,
    package: str | None = None,
    mode: str = "graduated",
    bounds_per_hour: bool = False,
) -> Json:
    """A price version; no `since` means from ever."""
    return {
        "kind": "price",
        "meter": meter,
        "zone": zone,
        "currency": "EUR",
        "organization": organization,
        "valid_from": since,
        "per_quantity": per,
        "package_quantity": package,
        "mode": mode,
        "bounds_per_hour": bounds_per_hour,
        "tiers": [{"up_to": up_to, "unit_price": unit_price} for up_to, unit_price in tiers],
    }


def _meter(code: str, name: str, unit: str, category: str) -> Json:
    return {"kind": "meter", "code": code, "name": name, "unit": unit, "category": category}


def _coupon(name: str, amount: str, valid_from: str, valid_until: str | None, days: int) -> Json:
    return {
        "kind": "coupon",
        "name": name,
        "amount": amount,
        "currency": "EUR",
        "valid_from": valid_from,
        "valid_until": valid_until,
        "credits_last_days": days,
        "maximum_uses": None,
    }
