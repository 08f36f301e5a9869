"""Customers whose usage is late, cannot be priced, is free, ends or comes in packages."""

from dataclasses import replace

from billing.demo.accounts import OFFICE, PUBLIC, Account, Settlement, instances, per_day, run, seats, stored
from billing.demo.curves import Surge
from billing.demo.months import LAST, FourMonths
from billing.demo.names import Place
from billing.demo.price_list import UNPRICED_METER, unpriced_meter
from billing.demo.story._making import make_company, make_customer


def late_usage(index: int, months: FourMonths) -> Account:
    """A site that was cut off: some days of usage arrive after the invoice of their month."""
    return replace(
        make_company(index, months, "Transports Ligérix", Place("FR", "37000", "Tours")),
        resources=(
            run("app", "suivi-colis", instances("web.m", 2, bends=OFFICE), per_day("traffic.out", 30, bends=OFFICE)),
            run("postgresql", "suivi-db", instances("postgres.m", 1)),
        ),
        settlements=(Settlement(days=14), Settlement(days=14), Settlement(permille=500, days=16)),
        late_days=range(24, 28),
    )


def without_price(index: int, months: FourMonths) -> Account:
    """It was the first to use a product whose price nobody has set: blocked in the last month."""
    tokens = per_day(UNPRICED_METER, 1_800_000, bends=OFFICE, since=months.day(LAST, 18))
    return replace(
        make_company(index, months, "Cortexa Diagnostics", Place("FR", "38000", "Grenoble")),
        resources=(
            run("app", "lecture-images", instances("gpu.m", 1, bends=OFFICE), tokens),
            run("bucket", "images", stored("storage.object", 800)),
        ),
        changes=((LAST, unpriced_meter()),),
    )


def without_address(index: int, months: FourMonths) -> Account:
    """It joined in the last month and never told where to send the invoice: blocked."""
    name = "Brume Studio"
    return replace(
        make_customer(
            index,
            months,
            name,
            {"is_company": True, "company": name, "country": "FR", "email": "bonjour@brume-studio.example"},
        ),
        opened_on=months.day(LAST, 6),
        known_from=LAST,
        resources=(run("app", "portfolio", instances("web.m", 1), per_day("traffic.out", 12, bends=PUBLIC)),),
    )


def nothing_used(index: int, months: FourMonths) -> Account:
    """A sleeping application within the free traffic: nothing to bill, no invoice."""
    return replace(
        make_company(index, months, "Veille & Marées", Place("FR", "33000", "Bordeaux")),
        resources=(run("app", "en-sommeil", per_day("traffic.out", 1)),),
    )


def closing(index: int, months: FourMonths) -> Account:
    """The account closes within the last month: no estimate and no provision any more."""
    return replace(
        make_company(index, months, "Comète Événements", Place("FR", "13002", "Marseille")),
        closed_on=months.day(LAST, 24),
        resources=(
            run("app", "festival", instances("web.m", 2, bends=PUBLIC), per_day("traffic.out", 25, bends=PUBLIC)),
            run("postgresql", "festival-db", instances("postgres.s", 1)),
        ),
    )


def packages(index: int, months: FourMonths) -> Account:
    """Git hosting by users, sold in packages of five, with tiers on top."""
    return replace(
        make_company(index, months, "Scriptorium Numérique", Place("FR", "67000", "Strasbourg")),
        resources=(
            run("git", "forge", seats("git.seats", 18, 21, 23, 27)),
            run("app", "forge-ci", instances("build.m", 1, bends=OFFICE)),
            run("bucket", "forge-artifacts", stored("storage.object", 350)),
        ),
    )


def runaway(index: int, months: FourMonths) -> Account:
    """A loop sent messages for three days, thirty thousand times as many as usual: no invoice to leave as it is."""
    loop = replace(PUBLIC, surge=Surge(LAST, 16, 18, 30_000_000))
    return replace(
        make_company(index, months, "Aubépine Livraisons", Place("FR", "59000", "Lille")),
        resources=(
            run("app", "tournees", instances("web.m", 2, bends=OFFICE), per_day("mail.sent", 2_000, bends=loop)),
            run("postgresql", "tournees-db", instances("postgres.s", 1)),
        ),
    )
