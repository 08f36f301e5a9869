"""The customers without a story: made up by their index, so that the first forty are the same among twenty thousand."""

from dataclasses import replace
from datetime import date, timedelta

from billing.demo import chance, names
from billing.demo.accounts import (
    Account,
    Consumption,
    Json,
    Resource,
    Settlement,
    UsedCoupon,
    instances,
    per_day,
    run,
    seats,
    stored,
)
from billing.demo.curves import Curve, growing
from billing.demo.months import A_MONTH, LAST, FourMonths
from billing.demo.objects import make_add_on, make_charge, make_free_credits, make_opening_balance
from billing.demo.price_list import PLANS, WELCOME

DAILY = 200
"""So many customers report usage every day, the others every week."""

OWN = 2_000
"""Customers beyond these came with a platform that was taken over in the last two months, and report once a month: so
twenty thousand load in minutes."""

_SIZE, _COUNTRY, _PLACE, _PEOPLE, _GROWTH, _OPENED, _ADD_ON, _BALANCE, _COUPON, _PAYS, _CHARGE = range(100, 111)

TINY, SMALL, MEDIUM, LARGE = "tiny", "small", "medium", "large"
_SIZES = ((30, TINY), (40, SMALL), (22, MEDIUM), (8, LARGE))
_OPENING_BALANCES = {TINY: "15.00", SMALL: "80.00", MEDIUM: "300.00", LARGE: "1500.00"}

_COMPANIES = ((80, names.FRENCH_PLACES), (4, names.OVERSEAS_PLACES), (11, names.EU_PLACES), (5, names.OTHER_PLACES))
_CONSUMERS = ((80, names.FRENCH_PLACES), (20, names.EU_PLACES))


def make_account(index: int, months: FourMonths) -> Account:
    """Make up the customer of an index."""
    size = chance.weighted(_SIZES, _SIZE, index)
    is_consumer = size == TINY and not chance.number(3, _PEOPLE, index)
    place = chance.pick(chance.weighted(_CONSUMERS if is_consumer else _COMPANIES, _COUNTRY, index), _PLACE, index)
    name = names.organization_name(index, place.country)
    opened_on, known_from = _opening(index, months)
    account = Account(
        id=chance.identifier("orga", f"crowd {index}"),
        seed=index,
        name=name,
        opened_on=opened_on,
        known_from=known_from,
        billing=names.consumer(index, place) if is_consumer else names.company(name, index, place),
        terms={"forecast_months": chance.weighted(((85, 1), (15, 3)), _SIZE, index, 1)},
        resources=_resources(index, size),
        settlements=_settlements(index),
        report_days=1 if index < DAILY else 7 if index < OWN else A_MONTH,
    )
    return _with_extras(account, index, size, months)


def _opening(index: int, months: FourMonths) -> tuple[date, int]:
    """Every eighth customer of our own joined during the four months."""
    if index >= OWN:
        month = LAST if chance.number(3, _OPENED, index) else LAST - 1
        return months.day(month, 1), month
    if chance.number(8, _OPENED, index):
        return months.before(2 + chance.number(30, _OPENED, index, 1), 1 + chance.number(28, _OPENED, index, 2)), 0
    month = chance.number(LAST + 1, _OPENED, index, 3)
    return months.day(month, 2 + chance.number(20, _OPENED, index, 4)), month


def _settlements(index: int) -> tuple[Settlement | None, ...]:
    """Nearly everybody pays; one in twenty-five has not paid the newest invoice yet."""
    method = chance.weighted(((45, "sepa_debit"), (35, "card"), (20, "bank_transfer")), _PAYS, index)
    days = 5 if method != "bank_transfer" else 6 + chance.number(16, _PAYS, index, 1)
    paid = Settlement(days=days, method=method)
    return (paid, paid, paid if chance.number(25, _PAYS, index, 2) else None)


def _resources(index: int, size: str) -> tuple[Resource, ...]:
    growth = chance.number(170, _GROWTH, index) - 50
    bends = Curve(
        0,
        by_month=growing(growth, jitter=60, seed=index),
        weekend=chance.pick((350, 600, 1000, 1150), _GROWTH, index, 1),
        spread=chance.pick((40, 120, 220), _GROWTH, index, 2),
    )
    scale = 1 + chance.number(4, _GROWTH, index, 3)
    make = {TINY: _tiny, SMALL: _small, MEDIUM: _medium, LARGE: _large}[size]
    return make(scale, bends, Curve(0), growing(abs(growth)))


def _tiny(scale: int, bends: Curve, steady: Curve, stock: tuple[int, ...]) -> tuple[Resource, ...]:
    return (
        run("app", "site", instances("web.nano", 1, bends=steady), _traffic(3 * scale, bends)),
        run("bucket", "site-media", stored("storage.object", 4 * scale, by_month=stock)),
    )


def _small(scale: int, bends: Curve, steady: Curve, stock: tuple[int, ...]) -> tuple[Resource, ...]:
    return (
        run("app", "api-prod", instances("web.s", 1 + scale // 2, bends=bends), _traffic(6 * scale, bends)),
        run("postgresql", "api-prod-db", instances("postgres.s", 1, bends=steady)),
        run("bucket", "api-prod-files", stored("storage.object", 60 * scale, by_month=stock)),
    )


def _medium(scale: int, bends: Curve, steady: Curve, stock: tuple[int, ...]) -> tuple[Resource, ...]:
    return (
        run("app", "shop-front", instances("web.m", 1 + scale, bends=bends), _traffic(20 * scale, bends)),
        run("app", "shop-worker", instances("web.s", 1, bends=bends), per_day("mail.sent", 900 * scale, bends=bends)),
        run(
            "postgresql",
            "shop-db",
            instances("postgres.m", 1, bends=steady),
            stored("storage.backup", 30 * scale, by_month=stock),
        ),
        run("redis", "shop-cache", instances("cache.s", 1, bends=steady)),
        run("bucket", "shop-media", stored("storage.object", 250 * scale, by_month=stock)),
    )


def _large(scale: int, bends: Curve, steady: Curve, stock: tuple[int, ...]) -> tuple[Resource, ...]:
    people = 15 * scale
    return (
        *_medium(2 * scale, bends, steady, stock),
        run(
            "app",
            "platform-api",
            instances("web.l", 2 + scale, bends=bends),
            per_day("edge.requests", 4_000_000 * scale, bends=bends),
        ),
        run("postgresql", "platform-db", instances("postgres.l", 2, bends=steady)),
        run("elasticsearch", "platform-search", instances("search.m", 2, bends=steady)),
        run("git", "platform-git", seats("git.seats", people, people + 2, people + 1, people + 6)),
    )


def _traffic(gigabytes_a_day: int, bends: Curve) -> Consumption:
    return per_day("traffic.out", gigabytes_a_day, bends=bends)


def _with_extras(account: Account, index: int, size: str, months: FourMonths) -> Account:
    """Balances brought along, coupons, add-ons, charges: a little of each."""
    joined, first_day = account.known_from, months.first.first_day
    if index < OWN and account.opened_on >= first_day:
        account = account.with_changes((joined, trial(account, "20.00", months)))
    elif chance.number(3, _BALANCE, index):
        balance = make_opening_balance(account, _OPENING_BALANCES[size], max(first_day, account.opened_on))
        account = account.with_changes((joined, balance))
    if size != LARGE and not chance.number(9, _COUPON, index):
        account = replace(account, coupon=UsedCoupon(WELCOME, joined, 25))
    if size != TINY and not chance.number(3, _ADD_ON, index):
        account = account.with_changes(_add_on(account, index, months))
    if size in (MEDIUM, LARGE) and not chance.number(6, _CHARGE, index):
        account = account.with_changes(_migration(account, index, months))
    return account


def trial(account: Account, amount: str, months: FourMonths) -> Json:
    """Free credits of a new customer, up to the end of its second month."""
    expires_on = months.first.shift(account.known_from + 1).last_day
    return make_free_credits(account, f"TRIAL-{account.seed:05d}", amount, account.opened_on, expires_on, "Trial")


def _add_on(account: Account, index: int, months: FourMonths) -> tuple[int, Json]:
    code, name, _ = chance.pick(PLANS, _ADD_ON, index, 1)
    month = max(account.known_from, chance.number(LAST + 1, _ADD_ON, index, 2))
    started_on = max(account.opened_on, months.day(month, 1 + chance.number(28, _ADD_ON, index, 3)))
    return month, make_add_on(account, code, name, started_on)


def _migration(account: Account, index: int, months: FourMonths) -> tuple[int, Json]:
    month = account.known_from
    day = account.opened_on if month else months.day(0, 4 + chance.number(20, _CHARGE, index, 1))
    quantity = 1 + chance.number(3, _CHARGE, index, 2)
    reference = f"MIG-{account.seed:05d}"
    return month, make_charge(
        account, reference, "Database migration", "450.00", day + timedelta(days=2), quantity=quantity
    )
