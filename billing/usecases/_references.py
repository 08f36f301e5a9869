"""From the public identifiers that files and requests carry to the keys of rows, many per query."""

from collections.abc import Callable, Iterable
from functools import partial
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

from django.db.models import QuerySet
from django.db.models.functions import Upper

from billing.models import AddOnPlan, Meter, Resource
from billing.queries.among import among_texts
from organizations.models import Organization

REMEMBERED = 100_000
_ASCII_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)


class Owner(NamedTuple):
    """An organization, as far as the rules of an import need it."""

    id: int
    currency: str
    parent_id: int | None


class OwnedResource(NamedTuple):
    """A resource and the organization that it belongs to for good, with that one's identifier."""

    id: int
    organization_id: int
    organization: str


class _Memory[Value]:
    """Remembers what was found, up to a bound; what was not found is asked for again."""

    def __init__(self, load: Callable[[list[str]], Iterable[tuple[str, Value]]]) -> None:
        self._load = load
        self._found: dict[str, Value] = {}

    def find(self, keys: Iterable[str]) -> dict[str, Value]:
        wanted = set(keys)
        missing = [key for key in wanted if key not in self._found]
        if missing:
            if len(self._found) + len(missing) > REMEMBERED:
                self._found.clear()
                missing = list(wanted)
            self._found.update(self._load(missing))
        return self._found

    def forget(self) -> None:
        self._found.clear()


class References:
    """Finds rows by identifier, one query per concept and call at most; one instance serves one import or request.

    A mapping that is returned may hold more than what was asked for. With `organization_id` there is nothing but that
    organization and what is its own: whoever writes on its behalf cannot tell others from what does not exist.
    """

    def __init__(self, *, organization_id: int | None = None) -> None:
        self.organization_id = organization_id
        self._organizations = _Memory(partial(_load_organizations, organization_id))
        self._resources = _Memory(partial(_load_resources, organization_id))
        self._meters = _Memory(_load_meters)
        self._plans = _Memory(_load_plans)

    def organizations(self, external_ids: Iterable[str]) -> dict[str, Owner]:
        """Organizations by identifier."""
        return self._organizations.find(external_ids)

    def resources(self, external_ids: Iterable[str]) -> dict[str, OwnedResource]:
        """Resources by identifier."""
        return self._resources.find(external_ids)

    def meters(self, codes: Iterable[str]) -> dict[str, int]:
        """Meters by their code in upper case, because codes are looked up without regard to case."""
        return self._meters.find(code.upper() for code in codes)

    def plans(self, codes: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Add-on plans by code: id and currency."""
        return self._plans.find(codes)

    def forget(self) -> None:
        """Ask the database again: for whoever has just changed what is remembered here."""
        for memory in (self._organizations, self._resources, self._meters, self._plans):
            memory.forget()


def _load_organizations(organization_id: int | None, external_ids: list[str]) -> Iterable[tuple[str, Owner]]:
    rows = Organization.objects.filter(among_texts("external_id", external_ids)).order_by()
    if organization_id is not None:
        rows = rows.filter(pk=organization_id)
    for external_id, id_, currency, parent_id in rows.values_list("external_id", "id", "currency", "parent_id"):
        yield external_id, Owner(id_, currency, parent_id)


def _load_resources(organization_id: int | None, external_ids: list[str]) -> Iterable[tuple[str, OwnedResource]]:
    rows = Resource.objects.filter(among_texts("external_id", external_ids)).order_by()
    if organization_id is not None:
        rows = rows.filter(organization=organization_id)
    columns = ("external_id", "id", "organization_id", "organization__external_id")
    for external_id, id_, owner_id, owner in rows.values_list(*columns):
        yield external_id, OwnedResource(id_, owner_id, owner)


def _load_meters(codes: list[str]) -> Iterable[tuple[str, int]]:
    for code, id_ in meters_by_code(codes).values_list("code", "id"):
        yield code.upper(), id_


def meters_by_code(codes: Iterable[str]) -> QuerySet[Meter]:
    """The meters that have one of these codes, without regard to case."""
    # The upper() of SQLite leaves letters with accents as they are, so these are looked for in both cases.
    keys = {key for code in codes for key in (code.upper(), code.lower().translate(_ASCII_UPPER))}
    return Meter.objects.annotate(key=Upper("code")).filter(key__in=keys).order_by("id")


def _load_plans(codes: list[str]) -> Iterable[tuple[str, tuple[int, str]]]:
    for code, id_, currency in AddOnPlan.objects.filter(code__in=codes).values_list("code", "id", "currency"):
        yield code, (id_, currency)
