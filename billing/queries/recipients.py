"""Who gets an organization's documents: its Admins, its Accountants, and the address of its billing profile."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from billing.queries.among import among
from organizations.models import BillingProfile, Membership

ROLES = (Membership.Role.ADMIN, Membership.Role.ACCOUNTANT)


@dataclass(frozen=True)
class Recipients:
    """The addresses, each once whatever its case, and the language that all of them are written to in."""

    language: str = BillingProfile.Language.FRENCH.value
    addresses: list[str] = field(default_factory=list)


def recipients_of(organization_ids: Collection[int]) -> dict[int, Recipients]:
    """Who they are by organization, in two queries; people whose account is switched off get nothing."""
    profiles = BillingProfile.objects.filter(among("organization", organization_ids))
    of_profile = {pk: (language, email) for pk, language, email in profiles.values_list("pk", "language", "email")}
    members = Membership.objects.filter(among("organization", organization_ids), role__in=ROLES, user__is_active=True)
    of_members: dict[int, list[str]] = {}
    for organization_id, email in members.order_by("id").values_list("organization_id", "user__email"):
        of_members.setdefault(organization_id, []).append(email)
    found = {}
    for id_ in organization_ids:
        language, email = of_profile.get(id_, (BillingProfile.Language.FRENCH.value, ""))
        found[id_] = Recipients(language, _each_once([email, *of_members.get(id_, ())]))
    return found


def _each_once(addresses: Iterable[str]) -> list[str]:
    by_key = {address.casefold(): address for address in reversed([*addresses]) if address}
    return list(reversed(by_key.values()))
