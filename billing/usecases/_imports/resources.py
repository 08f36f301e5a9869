"""Resources and add-ons: what organizations run and subscribe to."""

from collections.abc import Sequence

from billing.models import AddOn, Resource
from billing.usecases._imports.lines import AddOnLine, ResourceLine
from billing.usecases._imports.storing import Importing, Numbered, RejectedLine, UnknownReference, Verdicts, find_owner
from organizations.upserts import Upserts


def _taken(identifier: str) -> RejectedLine:
    """For whoever acts for one organization, and is told nothing about others."""
    return RejectedLine(f"The identifier {identifier} cannot be used: choose another one.")


def store_resources(lines: Sequence[Numbered[ResourceLine]], importing: Importing) -> Verdicts:
    """Create or rename resources; one that belongs to another organization is refused."""
    owners = importing.owners([line.organization for _, line in lines])
    rows = Resource.objects.filter(external_id__in={line.id for _, line in lines}).order_by("id")
    resources = Upserts(Resource, {row.external_id: row for row in rows.select_for_update(no_key=True)})
    verdicts = Verdicts()

    def store(line: ResourceLine) -> bool:
        owner = find_owner(owners, line.organization)
        stored = resources.rows.get(line.id)
        if stored is not None and stored.organization_id != owner.id:
            if importing.references.organization_id is not None:
                raise _taken(line.id)
            raise RejectedLine(f"Resource {line.id} belongs to another organization, and does so for good.")
        new = {"external_id": line.id, "organization_id": owner.id}
        return resources.put(line.id, {"name": line.name}, only_new=new)

    for entry in lines:
        verdicts.judge(entry, store)
    resources.write()
    return verdicts


def store_add_ons(lines: Sequence[Numbered[AddOnLine]], importing: Importing) -> Verdicts:
    """Create or update add-ons; what was billed stays billed, whatever their days become."""
    owners = importing.owners([line.organization for _, line in lines])
    plans = importing.references.plans({line.plan for _, line in lines})
    rows = AddOn.objects.filter(external_id__in={line.id for _, line in lines}).order_by("id")
    add_ons = Upserts(AddOn, {row.external_id: row for row in rows.select_for_update(no_key=True)})
    verdicts = Verdicts()

    def store(line: AddOnLine) -> bool:
        owner = find_owner(owners, line.organization)
        if line.plan not in plans:
            raise UnknownReference(f"Unknown add-on plan: {line.plan!r:.120}.")
        plan_id, currency = plans[line.plan]
        if currency != owner.currency:
            raise RejectedLine(
                f"Plan {line.plan} is priced in {currency}, {line.organization} pays in {owner.currency}."
            )
        if line.ended_on is not None and line.ended_on < line.started_on:
            raise RejectedLine(f"The add-on cannot end on {line.ended_on}, before it starts on {line.started_on}.")
        stored = add_ons.rows.get(line.id)
        if stored is not None and stored.organization_id != owner.id:
            if importing.references.organization_id is not None:
                raise _taken(line.id)
            if stored.billed_until is not None:
                raise RejectedLine(f"Add-on {line.id} is billed to another organization already.")
        values = {
            "organization_id": owner.id,
            "plan_id": plan_id,
            "name": line.name,
            "started_on": line.started_on,
            "ended_on": line.ended_on,
            "quantity": line.quantity,
        }
        return add_ons.put(line.id, values, only_new={"external_id": line.id})

    for entry in lines:
        verdicts.judge(entry, store)
    add_ons.write()
    return verdicts
