"""Create and update organizations with their billing profiles."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django_countries import countries
from msgspec import UNSET, UnsetType

from organizations.currencies import check_currency
from organizations.models import BillingProfile, Organization, User
from organizations.upserts import Upserts, differences

# Not in ISO 3166, but on addresses and VAT numbers: Northern Ireland, Kosovo.
FURTHER_COUNTRIES = frozenset({"XI", "XK"})
# The European Commission writes Greece its own way.
COUNTRY_ALIASES = {"EL": "GR"}


class OrganizationRefused(ValueError):
    """An organization was not saved; the message is a sentence."""


class TreeConflict(OrganizationRefused):
    """Its place among parents and sub-organizations is taken as things are; another change may make room."""


class UnknownParent(TreeConflict):
    """Its parent does not exist, or not yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileValues:
    """Buyer details (BG-7); what is not known is empty, and None keeps what is stored."""

    is_company: bool = True
    company: str = ""
    name: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    vat_number: str = ""
    siren: str = ""
    email: str = ""
    language: str = "fr"
    purchase_order: str = ""
    cost_center: str = ""
    electronic_address: str | None = None
    electronic_scheme: str | None = None
    requires_e_invoice: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganizationValues:
    """What an organization is to be; `parent` is an identifier, `profile` None keeps the stored one.

    So does UNSET the end of a negotiated refill, as long as there is one.
    """

    external_id: str
    name: str
    currency: str
    opened_on: date
    parent: str | None = None
    closed_on: date | None = None
    forecast_months: int = 1
    negotiated_refill_cents: int | None = None
    negotiated_refill_until: date | UnsetType | None = UNSET
    consumption_discount_ppm: int = 0
    payment_term_days: int = 30
    profile: ProfileValues | None = None


type Verdict = bool | OrganizationRefused
"""Whether an organization was created or changed; or why not."""


@transaction.atomic
def save_organizations(
    *,
    organizations: Sequence[OrganizationValues],
    currency_fixed: Callable[[Collection[int]], Mapping[int, str]],
    author: User | None = None,
    fixed: frozenset[str] = frozenset(),
) -> list[Verdict]:
    """Create or update organizations by their identifier; one that is refused stops no other. Verdicts in their order.

    Parents have to be stored before. `currency_fixed` says, for organizations whose currency would change, which ones
    cannot change it and why, as the end of a sentence: what was billed is not known here. `author` answers for the
    discounts and negotiated refills that this sets; nobody: the platform. Columns that are `fixed` stay as stored.
    """
    batch = _Batch(organizations, currency_fixed, author, fixed)
    verdicts: list[Verdict] = []
    for values in organizations:
        try:
            verdicts.append(batch.put(values))
        except OrganizationRefused as refused:
            verdicts.append(refused)
    batch.write()
    return verdicts


class _Batch:
    """The rows that a batch names, and what becomes of them."""

    def __init__(
        self,
        organizations: Sequence[OrganizationValues],
        currency_fixed: Callable[[Collection[int]], Mapping[int, str]],
        author: User | None,
        fixed: frozenset[str],
    ) -> None:
        self._author_id = None if author is None else author.pk
        self._fixed = fixed
        identifiers = {values.external_id for values in organizations}
        parents = {values.parent for values in organizations if values.parent}
        # Parents are locked too: they must not get a parent themselves meanwhile.
        rows = Organization.objects.select_for_update(no_key=True).filter(external_id__in=identifiers | parents)
        stored = {row.external_id: row for row in rows.order_by("id")}
        profiles = BillingProfile.objects.filter(organization__external_id__in=identifiers)
        self._rows = Upserts(Organization, stored)
        self._profiles = Upserts(
            BillingProfile, {row.organization.external_id: row for row in profiles.select_related("organization")}
        )
        self._children = _load_children([row.pk for row in stored.values()])
        changing = {
            stored[values.external_id].pk
            for values in organizations
            if values.external_id in stored and stored[values.external_id].currency != values.currency
        }
        self._currency_fixed = currency_fixed(changing) if changing else {}

    def put(self, values: OrganizationValues) -> bool:
        """Take one organization in; tell whether it changes anything. Raises OrganizationRefused."""
        profile = _check(values)
        row = self._rows.rows.get(values.external_id)
        parent = self._find_parent(values)
        terms = _fields(values, but=("external_id", "parent", "profile")) | {"parent_id": parent.pk if parent else None}
        if values.negotiated_refill_until is UNSET:
            stored = None if row is None else row.negotiated_refill_until
            terms["negotiated_refill_until"] = None if values.negotiated_refill_cents is None else stored
        if row is not None and row.pk is not None:
            self._check_fixed(row, terms)
            self._check_tree(row, values)
            self._move(row, parent)
        terms |= self._authors(row, values)
        is_changed = self._rows.put(values.external_id, terms, only_new={"external_id": values.external_id})
        if profile is not None:
            owner = self._rows.rows[values.external_id]
            is_changed |= self._profiles.put(values.external_id, profile, only_new={"organization": owner})
        return is_changed

    def write(self) -> None:
        """Write the organizations, then the profiles that refer to them."""
        self._rows.write()
        self._profiles.write()

    def _authors(self, row: Organization | None, values: OrganizationValues) -> dict[str, object]:
        """Who set the terms that give or cost something; what stays as it is stays theirs who set it."""
        authors: dict[str, object] = {}
        if values.consumption_discount_ppm != (row.consumption_discount_ppm if row else 0):
            authors["discount_author_id"] = self._author_id
        if values.negotiated_refill_cents != (row.negotiated_refill_cents if row else None):
            authors["refill_author_id"] = self._author_id
        return authors

    def _check_fixed(self, row: Organization, terms: Mapping[str, object]) -> None:
        changing = self._fixed.intersection(differences(row, terms))
        for field in row._meta.fields:
            if field.attname in changing:
                name = field.verbose_name
                raise OrganizationRefused(_("An organization cannot change its %(field)s itself.") % {"field": name})

    def _find_parent(self, values: OrganizationValues) -> Organization | None:
        if values.parent is None:
            return None
        if values.parent == values.external_id:
            raise OrganizationRefused(_("An organization cannot be billed on its own invoice as its sub-organization."))
        parent = self._rows.rows.get(values.parent)
        if parent is None or parent.pk is None:
            raise UnknownParent(f"Unknown organization: {values.parent!r:.120}, named as parent.")
        if parent.parent_id is not None:
            raise TreeConflict(
                _("%(parent)s is a sub-organization itself: there is one level only.") % {"parent": values.parent}
            )
        if parent.currency != values.currency:
            raise TreeConflict(
                _("A sub-organization is billed in the currency of its parent, %(currency)s, not %(other)s.")
                % {"currency": parent.currency, "other": values.currency}
            )
        return parent

    def _check_tree(self, row: Organization, values: OrganizationValues) -> None:
        children = self._children.get(row.pk, {})
        if values.parent is not None and children:
            raise TreeConflict(_("It has sub-organizations, so it cannot become one: there is one level only."))
        if row.currency == values.currency:
            return
        if reason := self._currency_fixed.get(row.pk):
            raise OrganizationRefused(
                _("Its currency stays %(currency)s: %(reason)s.") % {"currency": row.currency, "reason": reason}
            )
        if any(currency != values.currency for currency in children.values()):
            raise TreeConflict(
                _("Its sub-organizations are billed in %(currency)s, which must be its currency too.")
                % {"currency": row.currency}
            )

    def _move(self, row: Organization, parent: Organization | None) -> None:
        """Remember the new place of an organization for the rest of the batch."""
        if row.parent_id is not None:
            self._children.get(row.parent_id, {}).pop(row.pk, None)
        if parent is not None:
            self._children.setdefault(parent.pk, {})[row.pk] = row.currency


def _load_children(organization_ids: Collection[int]) -> dict[int, dict[int, str]]:
    """The currencies of sub-organizations, by parent and child."""
    children: dict[int, dict[int, str]] = {}
    rows = Organization.objects.filter(parent__in=organization_ids).order_by()
    for parent_id, id_, currency in rows.values_list("parent_id", "id", "currency"):
        if parent_id is not None:
            children.setdefault(parent_id, {})[id_] = currency
    return children


def _check(values: OrganizationValues) -> dict[str, object] | None:
    """Check an organization by itself; return the fields of its profile, if it comes with one."""
    try:
        check_currency(values.currency)
        if values.closed_on is not None and values.closed_on < values.opened_on:
            raise OrganizationRefused(
                _("It cannot close on %(end)s, before it opens on %(start)s.")
                % {"end": date_format(values.closed_on), "start": date_format(values.opened_on)}
            )
        return None if values.profile is None else _checked_profile(values.profile)
    except ValueError as error:
        raise OrganizationRefused(str(error)) from error


def _checked_profile(profile: ProfileValues) -> dict[str, object]:
    country = profile.country.upper()
    country = COUNTRY_ALIASES.get(country, country)
    if country and country not in countries and country not in FURTHER_COUNTRIES:
        raise OrganizationRefused(f"billing.country: {profile.country!r:.20} is not the code of a country, such as FR.")
    if profile.email:
        try:
            validate_email(profile.email)
        except ValidationError as error:
            raise OrganizationRefused(f"billing.email: {profile.email!r:.80} is not an e-mail address.") from error
    given = {name: value for name, value in _fields(profile).items() if value is not None}
    return given | {"country": country}


def _fields(values: OrganizationValues | ProfileValues, but: Collection[str] = ()) -> dict[str, object]:
    return {field.name: getattr(values, field.name) for field in fields(values) if field.name not in but}
