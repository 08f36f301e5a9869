"""What is recorded once under a reference and never changed: charges, credit grants, coupons, payments."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model

from billing.domain.money import charge_cents, format_cents, parse_cents
from billing.domain.quantities import parse_micro
from billing.models import Charge, Coupon, CreditGrant
from billing.usecases._grants import book_grants, check_grant
from billing.usecases._imports.lines import ChargeLine, CouponLine, CreditGrantLine, PaymentLine
from billing.usecases._imports.storing import (
    DifferentContent,
    Importing,
    Numbered,
    RejectedLine,
    UnknownReference,
    Verdicts,
    find_owner,
    read_field,
)
from billing.usecases.record_payment import record_payment
from organizations.currencies import check_currency
from organizations.models import Organization
from organizations.upserts import differences

MAX_CHARGE_CENTS = 10**15


class _Once[Row: Model]:
    """Rows that are created when their reference is new, and compared when it is not.

    Whoever acts for one organization (`only_of`) learns nothing about rows of others.
    """

    def __init__(self, model: type[Row], key: str, references: set[str], *, only_of: int | None = None) -> None:
        self._model = model
        self._key = key
        self._only_of = only_of
        rows = model._default_manager.filter(**{f"{key}__in": references})
        self._rows = {getattr(row, key): row for row in rows}
        self.created: list[Row] = []

    def put(self, reference: str, values: Mapping[str, Any]) -> bool:
        """Create a row, or tell that it is there already. Raises DifferentContent when it is not the same."""
        row = self._rows.get(reference)
        if row is None:
            row = self._rows[reference] = self._model(**{self._key: reference}, **values)
            self.created.append(row)
            return True
        if self._only_of not in (None, getattr(row, "organization_id", None)):
            # No word of what it says: it is somebody else's.
            raise DifferentContent(f"The reference {reference} cannot be used: choose another one.")
        if different := differences(row, values):
            name = self._model._meta.verbose_name
            raise DifferentContent(
                f"The {name} {reference} was recorded before with other content ({', '.join(map(_public, different))})."
            )
        return False


def _public(field: str) -> str:
    """The name of a column as the format knows it."""
    for unit in ("_cents", "_micro", "_id"):
        field = field.removesuffix(unit)
    return field


def store_charges(lines: Sequence[Numbered[ChargeLine]], importing: Importing) -> Verdicts:
    """Record charges that wait for the next invoice."""
    owners = importing.owners([line.organization for _, line in lines])
    only_of = importing.references.organization_id
    charges = _Once(Charge, "reference", {line.reference for _, line in lines}, only_of=only_of)
    verdicts = Verdicts()

    def store(line: ChargeLine) -> bool:
        quantity_micro = read_field("quantity", parse_micro, line.quantity)
        unit_price_micro = read_field("unit_price", parse_micro, line.unit_price)
        if charge_cents(quantity_micro, unit_price_micro) > MAX_CHARGE_CENTS:
            raise RejectedLine(f"The charge is above {format_cents(MAX_CHARGE_CENTS)}, the most that one may be.")
        values = {
            "organization_id": find_owner(owners, line.organization).id,
            "type": line.type,
            "description": line.description,
            "quantity_micro": quantity_micro,
            "unit_price_micro": unit_price_micro,
            "date": line.date,
        }
        return charges.put(line.reference, values)

    for entry in lines:
        verdicts.judge(entry, store)
    for charge in charges.created:
        charge.author = importing.author
    Charge.objects.bulk_create(charges.created)
    return verdicts


def store_credit_grants(lines: Sequence[Numbered[CreditGrantLine]], importing: Importing) -> Verdicts:
    """Grant credits, usable at once."""
    # Locked, so that the currency of an account cannot change under its grants.
    known = importing.owners([line.organization for _, line in lines])
    ids = [known[line.organization].id for _, line in lines if line.organization in known]
    rows = Organization.objects.filter(pk__in=ids).order_by("id")
    owners = {row.external_id: row for row in rows.select_for_update(no_key=True)}
    only_of = importing.references.organization_id
    grants = _Once(CreditGrant, "reference", {line.reference for _, line in lines}, only_of=only_of)
    verdicts = Verdicts()

    def store(line: CreditGrantLine) -> bool:
        owner = owners.get(line.organization)
        if owner is None:
            raise UnknownReference(f"Unknown organization: {line.organization!r:.120}.")
        amount_cents = read_field("amount", parse_cents, line.amount)
        check_grant(type=line.type, amount_cents=amount_cents, starts_on=line.starts_on, expires_on=line.expires_on)
        values = {
            "organization_id": owner.pk,
            "type": line.type,
            "amount_cents": amount_cents,
            "currency": owner.currency,
            "starts_on": line.starts_on,
            "expires_on": line.expires_on,
            "priority": line.priority,
            "reason": line.reason,
        }
        return grants.put(line.reference, values)

    for entry in lines:
        verdicts.judge(entry, store)
    book_grants(grants.created, at=importing.at)
    return verdicts


def store_coupons(lines: Sequence[Numbered[CouponLine]], importing: Importing) -> Verdicts:
    """Record coupons, which organizations may then use."""
    coupons = _Once(Coupon, "name", {line.name for _, line in lines})
    verdicts = Verdicts()

    def store(line: CouponLine) -> bool:
        amount_cents = read_field("amount", parse_cents, line.amount)
        if not amount_cents:
            raise RejectedLine("amount: a coupon gives more than nothing.")
        check_currency(line.currency)
        if line.valid_from is not None and line.valid_until is not None and line.valid_until < line.valid_from:
            raise RejectedLine(f"The coupon cannot end on {line.valid_until}, before it starts on {line.valid_from}.")
        values = {
            "amount_cents": amount_cents,
            "currency": line.currency,
            "valid_from": line.valid_from,
            "valid_until": line.valid_until,
            "credits_last_days": line.credits_last_days,
            "maximum_uses": line.maximum_uses,
        }
        return coupons.put(line.name, values)

    for entry in lines:
        verdicts.judge(entry, store)
    Coupon.objects.bulk_create(coupons.created)
    return verdicts


def store_payments(lines: Sequence[Numbered[PaymentLine]], importing: Importing) -> Verdicts:
    """Record payments, each of which settles invoices at once."""
    owners = importing.owners([line.organization for _, line in lines])
    verdicts = Verdicts()

    def store(line: PaymentLine) -> bool:
        return record_payment(
            reference=line.reference,
            organization_id=find_owner(owners, line.organization).id,
            amount_cents=read_field("amount", parse_cents, line.amount),
            date=line.date,
            method=line.method,
            invoice_number=line.invoice,
            actor=None,
            at=importing.at,
        ).is_new

    for entry in lines:
        verdicts.judge(entry, store)
    return verdicts
