"""Make a key for a program that uses the API."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from billing.domain.scopes import check_scopes
from billing.models import ApiKey
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import Organization, User
from organizations.shown_once import digest_of, new_secret

MARK = "uik"

# Who makes a key gives only what they might do by hand.
RIGHTS = {
    "organizations:write": ("organizations.add_organization", "billing.add_addon"),
    "catalogue:write": ("billing.add_addonplan",),
    "charges:write": ("billing.add_charge",),
    "credits:write": ("billing.add_creditgrant",),
    "coupons:write": ("billing.add_coupon",),
}


class KeyRefused(ValueError):
    """The key was not made; the message is a sentence."""


class NewKey(NamedTuple):
    """The stored row, and the key itself, which nobody can read again."""

    row: ApiKey
    key: str


@transaction.atomic
def create_api_key(
    *,
    name: str,
    scopes: Collection[str],
    organization: Organization | None = None,
    expires_at: datetime | None = None,
    actor: User | None,
    at: datetime,
) -> NewKey:
    """Make a key with scopes, for one organization or the platform. Raises KeyRefused, NotAllowed."""
    require(actor, "billing.add_apikey")
    if not name.strip() or len(name) > 100:
        raise KeyRefused(_("A key has a name of at most 100 characters, which says who uses it."))
    if expires_at is not None and expires_at <= at:
        raise KeyRefused(_("A key cannot expire before it exists."))
    try:
        chosen = check_scopes(scopes, is_for_one_organization=organization is not None)
    except ValueError as error:
        raise KeyRefused(str(error)) from error
    for right in (right for scope in chosen for right in RIGHTS.get(scope, ())):
        require(actor, right)
    secret = new_secret(MARK)
    row = ApiKey.objects.create(
        name=name.strip(),
        prefix=secret.prefix,
        digest=digest_of(secret.text),
        scopes=chosen,
        organization=organization,
        created_at=at,
        created_by=actor,
        expires_at=expires_at,
    )
    event = NewEvent(
        "api_key.created",
        organization_id=organization.pk if organization else None,
        values={"name": str(row), "scopes": chosen},
    )
    record_event(event, actor=actor, at=at)
    return NewKey(row, secret.text)
