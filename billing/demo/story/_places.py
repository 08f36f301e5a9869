"""Customers of other places, and the VAT that goes with them."""

from dataclasses import replace

from billing.demo import names
from billing.demo.accounts import OFFICE, ON_TIME, PUBLIC, Account, Settlement, instances, per_day, run, stored
from billing.demo.curves import growing
from billing.demo.months import LAST, FourMonths
from billing.demo.names import Place
from billing.demo.story._making import make_company, make_customer


def reverse_charge(index: int, months: FourMonths) -> Account:
    """A German company with a VAT number; ten percent off its consumption; storage that climbs through the tiers."""
    account = make_company(
        index,
        months,
        "Nordlicht Bildarchiv",
        Place("DE", "22765", "Hamburg"),
        consumption_discount_percent="10",
        forecast_months=3,
    )
    return replace(
        account,
        resources=(
            run("bucket", "archiv-originale", stored("storage.object", 2_900, by_month=growing(140), zone="fra")),
            run(
                "app",
                "archiv-suche",
                instances("web.m", 2, bends=OFFICE, zone="fra"),
                per_day("traffic.out", 210, bends=OFFICE, zone="fra"),
            ),
            run("elasticsearch", "archiv-index", instances("search.m", 1, zone="fra")),
        ),
    )


def overseas(index: int, months: FourMonths) -> Account:
    """An overseas department with a VAT rate of its own."""
    return replace(
        make_company(index, months, "Lagon Énergie", Place("FR", "97410", "Saint-Pierre")),
        resources=(
            run("app", "compteurs", instances("web.s", 2, bends=OFFICE), per_day("traffic.out", 9, bends=OFFICE)),
            run("postgresql", "compteurs-db", instances("postgres.s", 1)),
        ),
    )


def outside_the_union(index: int, months: FourMonths) -> Account:
    """A Swiss company: out of the scope of VAT. No provision: it pays every month for what it used."""
    return replace(
        make_company(index, months, "Alpenrot Kartografie", Place("CH", "8005", "Zürich"), forecast_months=0),
        resources=(
            run("app", "kacheln", instances("web.l", 2, bends=PUBLIC), per_day("traffic.out", 190, bends=PUBLIC)),
            run("bucket", "kacheln-archiv", stored("storage.object", 640)),
        ),
        settlements=tuple(Settlement(days=17) for _ in range(LAST)),
    )


def consumer_in_the_union(index: int, months: FourMonths) -> Account:
    """A person in Spain: French VAT."""
    billing = names.consumer(index, Place("ES", "46004", "Valencia")) | {
        "name": "Nerea Valdeluz",
        "email": "nerea@valdeluz.example",
    }
    return replace(
        make_customer(index, months, "Nerea Valdeluz", billing),
        resources=(run("app", "blog", instances("web.nano", 1), per_day("traffic.out", 4, bends=PUBLIC)),),
        settlements=tuple(Settlement(days=5, method="card") for _ in range(LAST)),
    )


def without_vat_number(index: int, months: FourMonths) -> Account:
    """A Dutch company that gave no VAT number: charged like a consumer, with a finding for the reviewer.

    It never paid its first invoice, which is written off.
    """
    billing = names.company("Polder Optiek", index, Place("NL", "3511", "Utrecht")) | {"vat_number": ""}
    return replace(
        make_customer(index, months, "Polder Optiek", billing),
        resources=(
            run("app", "webwinkel", instances("web.s", 1, bends=PUBLIC), per_day("mail.sent", 260, bends=PUBLIC)),
        ),
        settlements=(None, *ON_TIME[1:]),
    )
