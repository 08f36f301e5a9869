"""Everything that was imported, by its rules: what is updated, what is unchanged, which invoice a payment settles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from tests.integration.oracle.basics import Json, Month, cents_of, exact, instant
from tests.integration.oracle.catalogue import Catalogue
from tests.integration.oracle.records import Grant, Outcome, Usage


class Received:
    def __init__(self) -> None:
        self.catalogue = Catalogue()
        self.organizations: dict[str, Json] = {}
        self.resources: dict[str, Json] = {}
        self.plans: dict[str, Json] = {}
        self.add_ons: dict[str, Json] = {}
        self.charges: dict[str, Json] = {}
        self.grants: dict[str, Grant] = {}
        self.payments: dict[str, Json] = {}
        self.usage: dict[tuple[str, str, str], Usage] = {}
        self.usage_of: dict[str, list[Usage]] = defaultdict(list)
        self.outcomes: dict[str, dict[Month, Outcome]] = defaultdict(dict)

    def payers(self) -> list[str]:
        return sorted(name for name, organization in self.organizations.items() if organization.get("parent") is None)

    def tree(self, payer: str) -> list[str]:
        """The organization and its sub-organizations, all billed on one invoice."""
        return [payer, *sorted(name for name, other in self.organizations.items() if other.get("parent") == payer)]

    def months_of(self, payer: str, month: Month) -> list[Outcome]:
        """Earlier months of the payer itself, oldest first: each one is issued or nil."""
        return [outcome for other, outcome in sorted(self.outcomes[payer].items()) if other < month]

    def history(self, payer: str, month: Month) -> list[Outcome]:
        """The same with what its sub-organizations were billed before they joined it."""
        return [outcome for name in self.tree(payer) for outcome in self.months_of(name, month)]

    def import_prices(self, text: str, valid_from: date | None = None) -> None:
        self.catalogue.import_system(text, valid_from)

    def import_lines(self, lines: Iterable[Json]) -> None:
        """References within a file may point forwards, so definitions go first and payments last."""
        first = ("meter", "organization", "resource", "add_on_plan", "price")
        lines = sorted(lines, key=lambda line: first.index(line["kind"]) if line["kind"] in first else len(first))
        for line in lines:
            getattr(self, f"_import_{line['kind']}")(line)

    def _import_meter(self, line: Json) -> None:
        self.catalogue.add_meter(line)

    def _import_price(self, line: Json) -> None:
        self.catalogue.add_price(line)

    def _import_organization(self, line: Json) -> None:
        self.organizations[line["id"]] = line

    def _import_resource(self, line: Json) -> None:
        self.resources[line["id"]] = line

    def _import_add_on_plan(self, line: Json) -> None:
        self.plans[line["code"]] = line

    def _import_add_on(self, line: Json) -> None:
        self.add_ons[line["id"]] = line

    def _import_charge(self, line: Json) -> None:
        self.charges[line["reference"]] = line

    def _import_coupon(self, line: Json) -> None:
        """Coupons give credits only when somebody redeems them, which no import does."""

    def _import_credit_grant(self, line: Json) -> None:
        expires_on = line.get("expires_on")
        cents = cents_of(line["amount"])
        assert cents is not None
        self.grants[line["reference"]] = Grant(
            reference=line["reference"],
            organization=line["organization"],
            free=line["type"] == "free",
            cents=cents,
            starts_on=date.fromisoformat(line["starts_on"]),
            expires_on=date.fromisoformat(expires_on) if expires_on else None,
            priority=line.get("priority", 0),
        )

    def _import_usage(self, line: Json) -> None:
        start, end = instant(line["start"]), instant(line["end"])
        key = (line["source"], line["event_id"], str(Month.holding(start)))
        if key in self.usage:
            return
        usage = Usage(
            key=key,
            organization=line["organization"],
            resource=line["resource"],
            meter=line["meter"].lower(),
            zone=line["zone"].lower(),
            start=start,
            end=end,
            quantity=exact(line["quantity"]),
        )
        self.usage[key] = usage
        self.usage_of[usage.organization].append(usage)

    def _import_payment(self, line: Json) -> None:
        """Settle the named invoice, given as its [organization, month], or the oldest unpaid ones first."""
        if line["reference"] in self.payments:
            return
        self.payments[line["reference"]] = line
        left = cents_of(line["amount"])
        assert left is not None
        named = line.get("invoice")
        issued = [outcome for _, outcome in sorted(self.outcomes[line["organization"]].items())]
        for outcome in issued:
            if outcome.kind != "issued" or (named is not None and str(outcome.month) != named[1]):
                continue
            settled = min(left, outcome.total - outcome.paid)
            outcome.paid += settled
            left -= settled
