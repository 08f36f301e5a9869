"""Store one object of the import format, under the rules of `import_data`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from billing.usecases._imports.catalogue import store_add_on_plans
from billing.usecases._imports.decoding import UnreadableLine, decode_object
from billing.usecases._imports.lines import (
    AddOnLine,
    AddOnPlanLine,
    ChargeLine,
    CouponLine,
    CreditGrantLine,
    OrganizationLine,
    ResourceLine,
)
from billing.usecases._imports.organizations import store_organizations
from billing.usecases._imports.records import store_charges, store_coupons, store_credit_grants
from billing.usecases._imports.resources import store_add_ons, store_resources
from billing.usecases._imports.storing import Importing, Numbered, Store, UnknownReference, forget
from billing.usecases._references import References
from billing.usecases._transactions import run_in_transaction
from organizations.models import Organization

type ObjectKind = Literal["organization", "resource", "add_on_plan", "add_on", "charge", "credit_grant", "coupon"]


class _Kind(NamedTuple):
    store: Store
    line: type[Any]
    key: str


KINDS: Mapping[ObjectKind, _Kind] = {
    "organization": _Kind(store_organizations, OrganizationLine, "id"),
    "resource": _Kind(store_resources, ResourceLine, "id"),
    "add_on_plan": _Kind(store_add_on_plans, AddOnPlanLine, "code"),
    "add_on": _Kind(store_add_ons, AddOnLine, "id"),
    "charge": _Kind(store_charges, ChargeLine, "reference"),
    "credit_grant": _Kind(store_credit_grants, CreditGrantLine, "reference"),
    "coupon": _Kind(store_coupons, CouponLine, "name"),
}
_DECODERS = {kind: msgspec.json.Decoder(entry.line) for kind, entry in KINDS.items()}


class ObjectRefused(ValueError):
    """The object was not stored; the message is a sentence, the code is for programs."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class StoredObject(NamedTuple):
    """What identifies the object; `is_changed` is False when the same was stored before."""

    identity: str
    is_changed: bool


def store_object(
    *, kind: ObjectKind, raw: bytes, identity: str | None = None, organization_id: int | None = None, at: datetime
) -> StoredObject:
    """Read one object and create or update it; what is recorded once (charges and the like) is only created.

    `identity` is what the object has to be called. With `organization_id`, other organizations are as good as none.
    Raises ObjectRefused, with nothing stored.
    """
    line = _read(kind, raw)
    entry = KINDS[kind]
    name: str = getattr(line, entry.key)
    if identity is not None and name != identity:
        raise ObjectRefused(
            "other_identity", f"{entry.key}: {name!r:.120} is not the {identity!r:.120} of the address."
        )
    if organization_id is not None and isinstance(line, OrganizationLine):
        _check_own(line, organization_id)
    importing = Importing(at, References(organization_id=organization_id))
    verdicts = run_in_transaction(
        lambda: entry.store([Numbered(0, line)], importing), before_retry=lambda: forget(importing)
    )
    verdicts.give_up()
    for rejected in verdicts.rejected:
        raise ObjectRefused(rejected.code, rejected.reason)
    return StoredObject(name, bool(verdicts.accepted))


def _read(kind: ObjectKind, raw: bytes) -> Any:
    try:
        return decode_object(raw, _DECODERS[kind])
    except UnreadableLine as error:
        raise ObjectRefused(error.code, str(error)) from error


def _check_own(line: OrganizationLine, organization_id: int) -> None:
    """Whoever acts for one organization changes that one only, and not who pays for it."""
    own = Organization.objects.select_related("parent").get(pk=organization_id)
    if line.id != own.external_id:
        raise ObjectRefused(UnknownReference.code, f"Unknown organization: {line.id!r:.120}.")
    if line.parent != (own.parent.external_id if own.parent else None):
        raise ObjectRefused("refused", "The key cannot change on whose invoice the organization is billed.")
