"""Drafts that exist already, and the names that usage lines are printed with."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct

from billing.domain.consumption import UsageLine
from billing.domain.periods import Month
from billing.models import Invoice, Meter, Resource
from billing.queries.among import among


class ExistingDraft(Struct, frozen=True):
    """The live draft of a payer: its row's id, the fingerprint of its computed content, and why it is on hold."""

    id: int
    fingerprint: str
    total_cents: int
    hold_reason: str = ""


def load_drafts(month: Month, payer_ids: Collection[int]) -> dict[int, ExistingDraft]:
    """The drafts of a consumption month, by payer.

    The month is compared here: PostgreSQL's statistics do not know the rows of the month that is being closed, and it
    would read all of them for every batch.
    """
    rows = Invoice.objects.filter(among("organization", payer_ids), kind="invoice", document_state="draft")
    return {
        payer_id: ExistingDraft(id_, fingerprint, total_cents, hold_reason)
        for consumption_month, payer_id, id_, fingerprint, total_cents, hold_reason in rows.values_list(
            "consumption_month", "organization_id", "id", "fingerprint", "total_cents", "hold_reason"
        )
        if consumption_month == month.first_day
    }


class PrintedNames:
    """Names of resources and meters, and with them the order in which usage lines are printed."""

    def __init__(self, lines: Iterable[UsageLine]) -> None:
        resource_ids = {line.resource_id for line in lines}
        rows = Resource.objects.filter(among("id", resource_ids)).values_list("id", "name", "external_id")
        self._resources: dict[int, tuple[str, str]] = {id_: (name, external_id) for id_, name, external_id in rows}
        self._meters: dict[int, str] = dict(Meter.objects.values_list("id", "code"))

    def resource_name(self, resource_id: int) -> str:
        """The name that a line keeps."""
        return self._resources[resource_id][0]

    def sort(self, lines: Sequence[UsageLine], organizations: Mapping[int, object]) -> list[UsageLine]:
        """By organization (the payer first), resource, meter, zone, month, price version."""
        if len(lines) < 2:
            return list(lines)
        rank = {id_: position for position, id_ in enumerate(organizations)}
        resources, meters = self._resources, self._meters

        def position(line: UsageLine) -> tuple[int, tuple[str, str], str, str, date, int]:
            return (
                rank[line.organization_id],
                resources[line.resource_id],
                meters[line.meter_id],
                line.zone,
                line.month,
                line.price_id,
            )

        return sorted(lines, key=position)
