"""Organizations, in two rounds: those without a parent, then sub-organizations."""

import re
from collections.abc import Sequence

from billing.domain.money import parse_cents
from billing.queries.organizations import fixed_currencies
from billing.usecases._imports.lines import BillingObject, OrganizationLine
from billing.usecases._imports.storing import (
    Importing,
    Numbered,
    Rejected,
    RejectedLine,
    UnknownReference,
    Verdicts,
    read_field,
)
from organizations.usecases.save_organizations import (
    OrganizationRefused,
    OrganizationValues,
    ProfileValues,
    TreeConflict,
    UnknownParent,
    save_organizations,
)

_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,4}))?")
_PPM_PER_PERCENT = 10_000
AGREED = frozenset(
    {
        "parent_id",
        "currency",
        "opened_on",
        "closed_on",
        "forecast_months",
        "negotiated_refill_cents",
        "negotiated_refill_until",
        "consumption_discount_ppm",
        "payment_term_days",
    }
)
"""Between the platform and its customer: whoever acts for one organization does not set these."""


def store_organizations(lines: Sequence[Numbered[OrganizationLine]], importing: Importing) -> Verdicts:
    """Store organizations whose parents are stored; postpone those whose place in the tree may become free."""
    verdicts = Verdicts()
    readable: list[tuple[Numbered[OrganizationLine], OrganizationValues]] = []
    for entry in lines:
        try:
            readable.append((entry, _read(entry.line)))
        except RejectedLine as error:
            verdicts.rejected.append(Rejected(entry.number, str(error), error.code))
    results = save_organizations(
        organizations=[values for _, values in readable],
        currency_fixed=fixed_currencies,
        author=importing.author,
        fixed=frozenset() if importing.references.organization_id is None else AGREED,
    )
    for (entry, _), result in zip(readable, results, strict=True):
        if isinstance(result, TreeConflict):
            code = UnknownReference.code if isinstance(result, UnknownParent) else RejectedLine.code
            verdicts.postponed.append((entry, Rejected(entry.number, str(result), code)))
        elif isinstance(result, OrganizationRefused):
            verdicts.rejected.append(Rejected(entry.number, str(result)))
        else:
            verdicts.count(is_changed=result)
    importing.references.forget()
    return verdicts


def _read(line: OrganizationLine) -> OrganizationValues:
    refill = line.negotiated_refill
    return OrganizationValues(
        external_id=line.id,
        name=line.name,
        currency=line.currency,
        opened_on=line.opened_on,
        parent=line.parent,
        closed_on=line.closed_on,
        forecast_months=line.forecast_months,
        negotiated_refill_cents=None if refill is None else read_field("negotiated_refill", parse_cents, refill),
        negotiated_refill_until=line.negotiated_refill_until,
        consumption_discount_ppm=read_field(
            "consumption_discount_percent", _read_percent, line.consumption_discount_percent
        ),
        payment_term_days=line.payment_term_days,
        profile=None if line.billing is None else _read_profile(line.billing),
    )


def _read_profile(billing: BillingObject) -> ProfileValues:
    return ProfileValues(**{name: getattr(billing, name) for name in BillingObject.__struct_fields__})


def _read_percent(text: str) -> int:
    """A percentage with at most four decimals, in parts per million of the whole."""
    match = _PERCENT.fullmatch(text)
    ppm = int(match[1]) * _PPM_PER_PERCENT + int((match[2] or "").ljust(4, "0")) if match else -1
    if not 0 <= ppm <= 100 * _PPM_PER_PERCENT:
        raise ValueError(f"{text!r:.40} is not a percentage from 0 to 100 with at most four decimals.")
    return ppm
