"""Customers whose credits do something worth seeing."""

from dataclasses import replace

from billing.demo import names
from billing.demo.accounts import (
    OFFICE,
    ON_TIME,
    PUBLIC,
    Account,
    Settlement,
    UsedCoupon,
    instances,
    per_day,
    run,
    stored,
)
from billing.demo.crowd import trial
from billing.demo.curves import Surge, growing
from billing.demo.months import LAST, FourMonths
from billing.demo.names import Place
from billing.demo.objects import make_charge, make_free_credits
from billing.demo.price_list import EARLY_BIRD, NEGOTIATED_MONTH_RATE, price
from billing.demo.story._making import make_company


def over_consumption(index: int, months: FourMonths) -> Account:
    """A launch in the last month: credits run out and the rest is a regularization."""
    launch = replace(PUBLIC, surge=Surge(LAST, 8, 21, 3_600))
    return replace(
        make_company(index, months, "Kanopée Billetterie", names.FRENCH_PLACES[1]),
        resources=(
            run(
                "app", "billetterie-web", instances("web.l", 4, bends=launch), per_day("traffic.out", 150, bends=launch)
            ),
            run(
                "app",
                "billetterie-queue",
                instances("web.s", 2, bends=launch),
                per_day("edge.requests", 9_000_000, bends=launch),
            ),
            run("postgresql", "billetterie-db", instances("postgres.l", 1)),
        ),
    )


def clamped_refill(index: int, months: FourMonths) -> Account:
    """The season is over: more credits than the next month needs, so nothing is refilled."""
    season = replace(PUBLIC, by_month=(900, 1000, 1050, 210, 190))
    return replace(
        make_company(index, months, "Les Cabines d'Ormeau", Place("FR", "29200", "Brest")),
        resources=(
            run("app", "reservations", instances("web.m", 3, bends=season), per_day("traffic.out", 60, bends=season)),
            run("postgresql", "reservations-db", instances("postgres.s", 1, bends=season)),
        ),
    )


def negotiated(index: int, months: FourMonths) -> Account:
    """A refill and a price agreed by contract, and a custom service every month."""
    account = make_company(
        index,
        months,
        "Odyssée Prévoyance",
        Place("FR", "75011", "Paris"),
        negotiated_refill="900.00",
        payment_term_days=45,
    )
    return replace(
        account,
        resources=(
            run(
                "app", "espace-adherent", instances("web.l", 6, bends=OFFICE), per_day("traffic.out", 70, bends=OFFICE)
            ),
            run("app", "tarificateur", instances("web.xl", 2, bends=OFFICE)),
            run("postgresql", "contrats-db", instances("postgres.l", 2), stored("storage.backup", 900)),
        ),
        settlements=tuple(Settlement(days=20) for _ in range(LAST)),
        changes=(
            (0, price("web.l", ((None, NEGOTIATED_MONTH_RATE),), per="3600", organization=account.id)),
            *(
                (
                    month,
                    make_charge(
                        account,
                        f"RUN-ODYSSEE-{month + 1}",
                        "Managed operations",
                        "350.00",
                        months.last_day(month),
                        type_="custom_service",
                    ),
                )
                for month in range(LAST + 1)
            ),
        ),
    )


def expired_credits(index: int, months: FourMonths) -> Account:
    """Free credits that last longer than the need for them: one lot expires in an issued month, one in the last."""
    account = make_company(index, months, "Potager Collectif", Place("FR", "35000", "Rennes"))
    gesture = make_free_credits(
        account, "GESTURE-POTAGER", "25.00", months.first.first_day, months.last_day(1), "Gesture after an incident"
    )
    return replace(
        account,
        resources=(
            run("app", "paniers", instances("web.nano", 1), per_day("traffic.out", 5, bends=PUBLIC)),
            run("bucket", "paniers-photos", stored("storage.object", 45)),
        ),
        changes=((0, gesture),),
        coupon=UsedCoupon(EARLY_BIRD, 0, 20),
    )


def unpaid(index: int, months: FourMonths) -> Account:
    """The newest invoice is not paid: its credits are pending and count in g."""
    return replace(
        make_company(index, months, "Fonderie Garance", Place("FR", "54000", "Nancy")),
        resources=(
            run("app", "atelier", instances("web.l", 1, bends=OFFICE), instances("build.m", 1, bends=OFFICE)),
            run("postgresql", "atelier-db", instances("postgres.m", 1)),
        ),
        settlements=(*ON_TIME[:2], None),
    )


def on_trial(index: int, months: FourMonths) -> Account:
    """A newcomer with free credits to begin with, three-month estimates, and a little money too many on its account."""
    opened_on = months.day(1, 11)
    account = replace(
        make_company(index, months, "Zéphyr Mobilité", Place("FR", "31000", "Toulouse"), forecast_months=3),
        opened_on=opened_on,
        known_from=1,
        resources=(
            run("app", "flotte", instances("web.s", 3, bends=replace(OFFICE, by_month=growing(180)))),
            run("postgresql", "flotte-db", instances("postgres.dev", 1)),
        ),
        settlements=(None, Settlement(permille=1100, method="card"), Settlement(method="card")),
    )
    return account.with_changes((1, trial(account, "50.00", months)))
