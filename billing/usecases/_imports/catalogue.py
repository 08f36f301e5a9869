"""Meters and add-on plans: what is sold."""

from collections.abc import Sequence

from django.db.models import F

from billing.domain.money import parse_cents
from billing.models import AddOn, AddOnPlan, AddOnPlanPrice, Meter
from billing.usecases._imports.lines import AddOnPlanLine, MeterLine
from billing.usecases._imports.storing import Importing, Numbered, RejectedLine, Verdicts, read_field
from billing.usecases._references import meters_by_code
from organizations.currencies import check_currency
from organizations.upserts import Upserts


def store_meters(lines: Sequence[Numbered[MeterLine]], importing: Importing) -> Verdicts:
    """Create or update meters; a code keeps the case in which it was first written."""
    rows = meters_by_code(line.code for _, line in lines)
    stored: dict[str, Meter] = {row.code.upper(): row for row in rows.select_for_update(no_key=True)}
    meters = Upserts(Meter, stored)
    verdicts = Verdicts()
    for _, line in lines:
        values = {"name": line.name, "unit": line.unit, "category": line.category}
        verdicts.count(is_changed=meters.put(line.code.upper(), values, only_new={"code": line.code}))
    meters.write()
    return verdicts


def store_add_on_plans(lines: Sequence[Numbered[AddOnPlanLine]], importing: Importing) -> Verdicts:
    """Create or update plans with their monthly price, which is changed in place: the latest one, from ever if new."""
    rows = AddOnPlan.objects.filter(code__in={line.code for _, line in lines}).order_by("id")
    stored = {row.code: row for row in rows.select_for_update(no_key=True)}
    plans = Upserts(AddOnPlan, stored)
    prices = Upserts(AddOnPlanPrice, _latest_prices(stored))
    used = set(AddOn.objects.filter(plan__in=list(stored.values())).order_by().values_list("plan_id", flat=True))
    verdicts = Verdicts()

    def store(line: AddOnPlanLine) -> bool:
        price_cents = read_field("monthly_price", parse_cents, line.monthly_price)
        check_currency(line.currency)
        plan = plans.rows.get(line.code)
        if plan is not None and plan.pk in used and plan.currency != line.currency:
            raise RejectedLine(f"The plan has add-ons that are billed in {plan.currency}, so its currency stays.")
        is_changed = plans.put(line.code, {"name": line.name, "currency": line.currency}, only_new={"code": line.code})
        price = {"monthly_price_cents": price_cents}
        return prices.put(line.code, price, only_new={"plan": plans.rows[line.code]}) or is_changed

    for entry in lines:
        verdicts.judge(entry, store)
    plans.write()
    prices.write()
    return verdicts


def _latest_prices(plans: dict[str, AddOnPlan]) -> dict[str, AddOnPlanPrice]:
    rows = AddOnPlanPrice.objects.filter(plan__in=list(plans.values())).select_related("plan")
    return {row.plan.code: row for row in rows.order_by(F("valid_from").asc(nulls_first=True))}
