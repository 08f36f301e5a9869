"""The independent calculator: reads what ``import_data`` reads, predicts what ``export_invoices`` prints.

    oracle = Oracle()
    oracle.import_prices(text)
    oracle.import_lines(lines)
    oracle.close(month); oracle.issue(month, date); oracle.export(month)

Nothing is stored but what was received and what each (payer, month) became; every figure is computed again from there.
``§`` names a section of ``domain.md``. Readings of what the rule book leaves open are marked ``Reading:``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction

from tests.integration.oracle.basics import Json, Month, cents_of, exact, half_away_from_zero, money, to_cents
from tests.integration.oracle.consumption import take_usage, usage_entries
from tests.integration.oracle.direct_lines import add_on_lines, charge_lines, printed_line
from tests.integration.oracle.received import Received
from tests.integration.oracle.records import Blocked, Outcome, Share
from tests.integration.oracle.vat import vat_of


class Oracle(Received):
    def __init__(self, *, over_oss_threshold: bool = False) -> None:
        super().__init__()
        self.over_oss_threshold = over_oss_threshold

    def close(self, month: Month, only: Iterable[str] | None = None) -> None:
        for payer in self.payers() if only is None else only:
            if not self._open_in(payer, month):
                continue
            known = self.outcomes[payer].get(month)
            if known is not None and (known.kind == "issued" or self._closed_after(payer, month)):
                continue
            self.outcomes[payer][month] = self._outcome(payer, month)

    def issue(self, month: Month, day: date, only: Iterable[str] | None = None) -> None:
        """Drafts only, computed once more: what arrived since the close and is not late must be on them (§7)."""
        for payer in self.payers() if only is None else only:
            known = self.outcomes[payer].get(month)
            if known is None or known.kind != "draft":
                continue
            outcome = self._outcome(payer, month)
            if outcome.kind != "draft":
                continue
            outcome.kind = "issued"
            outcome.issue_date = day
            outcome.due_date = day + timedelta(days=self.organizations[payer]["payment_term_days"])
            self.outcomes[payer][month] = outcome

    def export(self, month: Month) -> list[Json]:
        outcomes = [months[month] for _, months in sorted(self.outcomes.items()) if month in months]
        return [outcome.exported() for outcome in outcomes if outcome.kind in {"draft", "issued"}]

    def _open_in(self, payer: str, month: Month) -> bool:
        """Opened by the end of the month and not closed before it (§6)."""
        organization = self.organizations[payer]
        closed_on = organization.get("closed_on")
        return date.fromisoformat(organization["opened_on"]) <= month.last_day and not (
            closed_on is not None and date.fromisoformat(closed_on) < month.first_day
        )

    def _closes_in(self, payer: str, month: Month) -> bool:
        closed_on = self.organizations[payer].get("closed_on")
        return closed_on is not None and Month.of(closed_on) == month

    def _closed_after(self, payer: str, month: Month) -> bool:
        return any(other > month and outcome.kind != "blocked" for other, outcome in self.outcomes[payer].items())

    def _outcome(self, payer: str, month: Month) -> Outcome:
        before = self.outcomes[payer].get(month.plus(-1))
        if before is not None and before.kind in {"draft", "blocked"}:
            return Outcome(payer, month, "blocked", "the month before is not issued")
        try:
            return self._bill(payer, month)
        except Blocked as reason:
            return Outcome(payer, month, "blocked", str(reason))

    # --- One organization, one month -------------------------------------------------------------------------------

    def _bill(self, payer: str, month: Month) -> Outcome:
        organization = self.organizations[payer]
        history = self.history(payer, month)
        outcome = Outcome(payer, month, "draft")

        # Consumption: the month's own lines and late ones, then one discount on the whole (§6).
        take_usage(self, outcome, history)
        gross = defaultdict(int, {month: 0})
        for detail in outcome.usage:
            gross[detail.key.month] += detail.cents
        percent = exact(organization.get("consumption_discount_percent") or "0")
        discount = _percent_of(sum(gross.values()), percent)
        consumption = sum(gross.values()) - discount
        outcome.own_cents = gross[month] - _percent_of(gross[month], percent)

        # Lines that credits never pay.
        category, rate = vat_of(organization.get("billing") or {}, over_oss_threshold=self.over_oss_threshold)
        direct = add_on_lines(self, outcome, history) + charge_lines(self, outcome, history)
        other_lines = sum(cents for _, cents in direct)

        # The statement a..i (§5).
        a, c, d = self._free_credits(outcome, history, consumption)
        b = self._active_prepaid(payer, history)
        e = -min(consumption + c, b)
        outcome.prepaid_used = -e
        regularization = consumption + c + e
        closing = self._closes_in(payer, month)
        f = 0 if closing else -self._estimate(outcome)
        g = sum(other.provision for other in history if other.kind == "issued" and not other.settled)
        negotiated = cents_of(organization.get("negotiated_refill"))
        if closing:
            h = 0
        elif negotiated is not None:
            h = negotiated
        else:
            h = max(0, -(a + b + c + d + e + f + g))
        outcome.provision = h

        if consumption == other_lines == h == 0 and c == e == 0:
            return Outcome(payer, month, "nil", parts=outcome.parts, usage=outcome.usage, own_cents=outcome.own_cents)
        self._check_payer(organization)

        shares = _regularization(gross, discount, regularization)
        lines = [_provision_line(h, month)] if h else []
        lines += [_regularization_line(share) for share in shares]
        lines += [line for line, cents in direct if cents]
        for line in lines:
            line.update(vat_category=category, vat_rate=_rate(rate))
        subtotal = regularization + h + other_lines
        vat = to_cents(Fraction(subtotal, 100) * rate / 100)
        outcome.total = subtotal + vat
        balance = a + b + c + d + e + h
        assert subtotal == consumption + other_lines + (balance - a - b - d)
        statement = {"a": a, "b": b, "A": a + b, "c": c, "d": d, "e": e, "f": f, "g": g, "h": h, "B": balance}
        statement |= {"i": balance - a - b, "net_use": balance - a - b - d}
        outcome.document = {
            "type": "invoice",
            "organization": payer,
            "refers_to": None,
            "consumption_month": str(month),
            "currency": organization["currency"],
            "lines": lines,
            "statement": {letter: money(cents) for letter, cents in statement.items()},
            "fees": money(consumption),
            "regularization": money(regularization),
            "usage": usage_entries(self.catalogue, outcome, discount),
            "tax": [{"category": category, "rate": _rate(rate), "base": money(subtotal), "vat": money(vat)}],
            "subtotal": money(subtotal),
            "vat": money(vat),
            "total": money(outcome.total),
        }
        return outcome

    def _check_payer(self, organization: Json) -> None:
        """Who is billed needs a name or company, an address, a city and a country (interfaces §2)."""
        billing = organization.get("billing") or {}
        if not (billing.get("name") or billing.get("company")):
            raise Blocked("no name")
        for needed in ("address", "city", "country"):
            if not billing.get(needed):
                raise Blocked(f"no {needed}")

    # --- Credits ---------------------------------------------------------------------------------------------------

    def _free_credits(self, outcome: Outcome, history: list[Outcome], consumption: int) -> tuple[int, int, int]:
        """a, c and d. A grant that expired is no longer usable, so its expiry needs no booking here."""
        owners = self.tree(outcome.payer)
        usable = [
            grant
            for grant in self.grants.values()
            if grant.free and grant.organization in owners and grant.usable_in(outcome.month)
        ]
        balance = expired = 0
        to_pay = consumption
        for grant in sorted(usable, key=lambda grant: grant.order_of_use):
            left = grant.cents - sum(other.free_used.get(grant.reference, 0) for other in history)
            used = min(left, to_pay)
            to_pay -= used
            balance += left
            outcome.free_used[grant.reference] = used
            # Reading: what a closing account loses is an expiry of its last month.
            if grant.expires_in(outcome.month) or self._closes_in(outcome.payer, outcome.month):
                expired += left - used
        return balance, -(consumption - to_pay), -expired

    def _active_prepaid(self, payer: str, history: list[Outcome]) -> int:
        """b: imported prepaid grants and provisions whose invoice is fully paid, less what was used."""
        owners = self.tree(payer)
        imported = sum(g.cents for g in self.grants.values() if not g.free and g.organization in owners)
        bought = sum(other.provision for other in history if other.settled)
        return imported + bought - sum(other.prepaid_used for other in history)

    def _estimate(self, outcome: Outcome) -> int:
        """The mean of the last N closed months, as many as there are (§6)."""
        wanted = self.organizations[outcome.payer]["forecast_months"]
        if wanted == 0:
            return 0
        before = self.months_of(outcome.payer, outcome.month)
        months = [*[other.own_cents for other in before], outcome.own_cents][-wanted:]
        return half_away_from_zero(Fraction(sum(months), len(months)))


def _percent_of(cents: int, percent: Fraction) -> int:
    return half_away_from_zero(cents * percent / 100)


def _regularization(gross: dict[Month, int], discount: int, regularization: int) -> list[Share]:
    """Credits pay late months first, oldest first; what they leave is one line per month (§6)."""
    if regularization == 0:
        return []
    months = sorted(each for each in gross if gross[each])
    net = dict(gross)
    # Reading: the one discount lowers each month in proportion; the last one takes what rounding leaves.
    whole, left = sum(gross.values()), discount
    for late in months[:-1]:
        share = half_away_from_zero(Fraction(discount * gross[late], whole))
        net[late] -= share
        left -= share
    net[months[-1]] -= left
    credits_left = sum(net.values()) - regularization
    shares = []
    for each in months:
        paid = min(credits_left, net[each])
        credits_left -= paid
        if net[each] > paid:
            shares.append(Share(each, net[each] - paid, exact=discount == 0 or len(months) == 1))
    return shares


def _provision_line(cents: int, month: Month) -> Json:
    return printed_line("provision", month.next.first_day, month.plus(2).first_day, cents)


def _regularization_line(share: Share) -> Json:
    line = printed_line("regularization", share.month.first_day, share.month.next.first_day, share.cents)
    if not share.exact:
        line["exact"] = False
    return line


def _rate(rate: Fraction) -> str:
    return money(to_cents(rate))
