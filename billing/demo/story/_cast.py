"""The customer whose people sign in to the portal, and its sub-organizations."""

from dataclasses import replace

from billing.demo import names
from billing.demo.accounts import OFFICE, PUBLIC, Account, Settlement, UsedCoupon, instances, per_day, run, stored
from billing.demo.curves import growing
from billing.demo.months import LAST, FourMonths
from billing.demo.names import Place
from billing.demo.objects import make_add_on, make_charge, make_free_credits
from billing.demo.price_list import EARLY_BIRD
from billing.demo.story._making import make_customer, organization_id

CAST = "Maison Verlaine"
"""Whose people sign in to the portal: alice, bob and dave."""


def cast(index: int, months: FourMonths) -> Account:
    """A parent with two sub-organizations; add-ons that start and end within a month; a one-shot operation.

    It used a coupon, and has paid a part only of its newest invoice, which is overdue by the time of the drafts: the
    credits that this one sold are pending, and free ones are all that is usable.
    """
    billing = names.company(CAST, index, Place("FR", "44000", "Nantes"))
    account = make_customer(index, months, CAST, billing | {"purchase_order": "PO-4471", "cost_center": "IT-02"})
    growth = growing(45)
    office = replace(OFFICE, by_month=growth)
    static_ip = make_add_on(account, "static-ip", "Static IP address", months.before(3))
    until = months.in_progress.last_day
    thanks = make_free_credits(account, "CASE-VERLAINE", "150.00", months.day(LAST, 5), until, "Thanks for the story")
    return replace(
        account,
        resources=(
            run("app", "verlaine-api", instances("web.m", 3, bends=office), per_day("traffic.out", 40, bends=office)),
            run("postgresql", "verlaine-db", instances("postgres.m", 1), stored("storage.backup", 180)),
            run("redis", "verlaine-sessions", instances("cache.s", 1)),
            run("bucket", "verlaine-catalogue", stored("storage.object", 420, by_month=growth)),
        ),
        coupon=UsedCoupon(EARLY_BIRD, 1, 20),
        settlements=(
            Settlement(days=5, method="sepa_debit"),
            Settlement(days=5, method="sepa_debit"),
            Settlement(permille=600, days=6),
        ),
        changes=(
            (1, make_add_on(account, "support-premium", "Premium support", months.day(1, 12))),
            (0, make_add_on(account, "private-network", "Private network", months.day(0, 1))),
            (0, static_ip | {"ended_on": None}),
            (LAST, thanks),
            (2, static_ip | {"ended_on": f"{months.day(LAST, 15)}"}),  # cancelled: the 14th is its last day
            (
                LAST,
                make_charge(
                    account, "MIG-VERLAINE-7", "Migration of the catalogue database", "800.00", months.day(LAST, 20)
                ),
            ),
        ),
    )


def shop(index: int, months: FourMonths) -> Account:
    """A sub-organization of the cast's."""
    account = make_customer(index, months, "Maison Verlaine Boutique", None)
    growth = growing(60)
    site = replace(PUBLIC, by_month=growth)
    return replace(
        account,
        parent_id=organization_id(CAST),
        resources=(
            run(
                "app",
                "boutique-web",
                instances("web.l", 2, bends=site),
                per_day("edge.requests", 2_600_000, bends=site),
            ),
            run("bucket", "boutique-photos", stored("storage.object", 1_350, by_month=growth)),
        ),
    )


def warehouse(index: int, months: FourMonths) -> Account:
    """The other sub-organization of the cast's."""
    return replace(
        make_customer(index, months, "Maison Verlaine Logistique", None),
        parent_id=organization_id(CAST),
        resources=(
            run("app", "stock-sync", instances("web.s", 2, bends=OFFICE), per_day("mail.sent", 1_450, bends=OFFICE)),
            run("postgresql", "stock-db", instances("postgres.s", 1)),
        ),
    )
