"""Let members say to whom their invoices are made out."""

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _
from django_countries import countries

from billing.queries.billing_details import FIELDS, details_fingerprint, values_of
from billing.usecases._events import NewEvent, record_event
from organizations.identifiers import InvalidIdentifier, check_same_company, check_siren, check_vat_number
from organizations.models import BillingProfile, Organization, User
from organizations.roles import MONEY_ROLES, require_role
from organizations.upserts import differences
from organizations.usecases.save_organizations import FURTHER_COUNTRIES, ProfileValues

_LONGEST = {field.name: field.max_length for field in BillingProfile._meta.concrete_fields}
REQUIRED = ("address", "city", "country")


class UnableToChangeDetails(ValueError):
    """Nothing was changed; the message is a sentence."""


class BilledElsewhere(UnableToChangeDetails):
    """A sub-organization is billed on its parent's invoice, to whom that is made out."""


class DetailsChangedMeanwhile(UnableToChangeDetails):
    """Somebody else changed the details after they were read."""


class DetailsRefused(UnableToChangeDetails):
    """Some fields cannot be right: `errors` has a sentence for each."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


@transaction.atomic
def change_billing_details(
    *, organization_id: int, details: ProfileValues, seen: str, actor: User, at: datetime
) -> BillingProfile:
    """Replace the buyer details of an organization for invoices that are not issued yet; Admin and Accountant may.

    `seen` is the fingerprint of the details that the person had before their eyes. Equal details change nothing. The
    log of changes and an event keep what was there before. Whether e-invoices are required stays as it is.

    Raises RoleRequired, BilledElsewhere, DetailsChangedMeanwhile, or DetailsRefused with a sentence for each field.
    """
    account = Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
    require_role(actor, organization_id, MONEY_ROLES)
    if account.parent_id is not None:
        raise BilledElsewhere(_("This organization is billed on another one's invoice: the details are kept there."))
    stored = BillingProfile.objects.filter(organization=account).first()
    if details_fingerprint(stored) != seen:
        raise DetailsChangedMeanwhile(
            _("Somebody changed these details while you did. Look at what is there now, then change it again.")
        )
    values = _checked(details, values_of(stored))
    profile = stored or BillingProfile(organization=account)
    changed = differences(profile, values)
    if stored is not None and not changed:
        return stored
    before = values_of(stored)
    for name, value in values.items():
        setattr(profile, name, value)
    profile.save(force_insert=stored is None)
    after = values_of(profile)
    record_event(
        NewEvent(
            "billing_details.changed",
            organization_id=organization_id,
            values={
                "before": {name: before[name] for name in changed},
                "after": {name: after[name] for name in changed},
            },
        ),
        actor=actor,
        at=at,
    )
    return profile


def _checked(details: ProfileValues, current: Mapping[str, str | bool]) -> dict[str, str | bool]:
    """The values as they are stored; None keeps what is there. Raises DetailsRefused."""
    given = {name: getattr(details, name) for name in FIELDS}
    values: dict[str, str | bool] = {
        name: current[name] if value is None else value.strip() if isinstance(value, str) else value
        for name, value in given.items()
    }
    errors = {**_missing(values), **_too_long(values), **_malformed(values), **_wrong_numbers(values)}
    if errors:
        raise DetailsRefused(errors)
    return values


def _missing(values: dict[str, str | bool]) -> dict[str, str]:
    errors = {name: _("This is needed on every invoice.") for name in REQUIRED if not values[name]}
    if values["is_company"] and not values["company"]:
        errors["company"] = _("Give the name of the company, or say that there is none.")
    if not values["is_company"] and not values["name"]:
        errors["name"] = _("Give a name: the invoice is made out to it.")
    return errors


def _too_long(values: dict[str, str | bool]) -> dict[str, str]:
    errors = {}
    for name, value in values.items():
        limit = _LONGEST[name]
        if isinstance(value, str) and limit is not None and len(value) > limit:
            errors[name] = _("At most %(limit)s characters fit here.") % {"limit": limit}
        if isinstance(value, str) and "\0" in value:
            errors[name] = _("There is a character in it that cannot be stored.")
    return errors


def _malformed(values: dict[str, str | bool]) -> dict[str, str]:
    errors = {}
    country = str(values["country"])
    if country and country not in countries and country not in FURTHER_COUNTRIES:
        errors["country"] = _("Choose a country of the list.")
    if values["language"] not in BillingProfile.Language.values:
        errors["language"] = _("Choose one of the languages.")
    if values["email"]:
        try:
            validate_email(str(values["email"]))
        except ValidationError:
            errors["email"] = _("This is not an e-mail address.")
    scheme = str(values["electronic_scheme"])
    if bool(values["electronic_address"]) != bool(scheme):
        errors["electronic_address"] = _("An electronic address and its kind go together: give both or neither.")
    if scheme and not (scheme.isascii() and scheme.isdigit() and len(scheme) == 4):
        errors["electronic_scheme"] = _("The kind is a code of four digits, such as 0225.")
    return errors


def _wrong_numbers(values: dict[str, str | bool]) -> dict[str, str]:
    """Check the numbers, and write them in `values` as they are stored."""
    errors = {}
    if values["vat_number"] and not values["is_company"]:
        errors["vat_number"] = _("Only a company has a VAT number: say that you are one, or leave it empty.")
    else:
        try:
            values["vat_number"] = check_vat_number(str(values["vat_number"]), str(values["country"]))
        except InvalidIdentifier as error:
            errors["vat_number"] = str(error)
    try:
        values["siren"] = check_siren(str(values["siren"]))
        if not errors:
            check_same_company(str(values["vat_number"]), str(values["siren"]))
    except InvalidIdentifier as error:
        errors["siren"] = str(error)
    return errors
