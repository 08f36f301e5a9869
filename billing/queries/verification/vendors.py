"""Vendor charges, and the usage records that bill them."""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Exists, OuterRef, Sum

from billing.domain.quantities import MICRO
from billing.models import UsageRecord, VendorCharge
from billing.queries.verification._promises import Broken, Register

PROMISES = Register()
SOURCE = "focus:"


@PROMISES.promise(
    "What is billed of a vendor charge is its list cost, to the trillionth.",
    things="vendor charges",
    population=VendorCharge.objects.all,
)
def list_costs() -> Iterator[Broken]:
    """Both sides in the order of their events, which are hexadecimal: the same order for every collation."""
    charges = VendorCharge.objects.order_by("event_id").values_list("event_id", "source", "list_cost")
    kept = VendorCharge.objects.filter(source=OuterRef("source"), event_id=OuterRef("event_id"))
    records = UsageRecord.objects.filter(Exists(kept), source__startswith=SOURCE).order_by("event_id")
    sums = records.values_list("event_id").annotate(Sum("quantity_micro")).iterator()
    event, micro = next(sums, ("", 0))
    for wanted, source, list_cost in charges.iterator():
        measured = micro if event == wanted else 0
        if event == wanted:
            event, micro = next(sums, ("", 0))
        if Decimal(list_cost) * MICRO * MICRO != measured:
            billed = Decimal(measured) / MICRO / MICRO
            yield Broken(f"vendor charge {source}/{wanted}", f"Its list cost is {list_cost}, but {billed:f} is billed.")
