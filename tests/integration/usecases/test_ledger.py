"""Pending credits become usable once."""

from datetime import UTC, datetime

import pytest

from billing.models import CreditEntry
from billing.usecases._ledger import activate_grants
from tests.builders.credits import make_grant
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)


def test_activates_what_is_pending_with_one_entry_each() -> None:
    atlas = make_organization()
    pending = [make_grant(organization=atlas, state="pending", amount_cents=cents) for cents in (500, 700)]

    assert activate_grants([grant.pk for grant in pending], at=AT) == 2

    for grant in pending:
        grant.refresh_from_db()
        assert (grant.state, grant.remaining_cents) == ("active", grant.amount_cents)
        entry = grant.entries.get()
        assert (entry.kind, entry.amount_cents, entry.booked_at) == ("grant", grant.amount_cents, AT)


def test_again_changes_nothing() -> None:
    grant = make_grant(organization=make_organization(), state="pending")

    assert activate_grants([grant.pk, grant.pk], at=AT) == 1
    assert activate_grants([grant.pk], at=AT) == 0
    assert CreditEntry.objects.count() == 1


@pytest.mark.parametrize("state", ["active", "cancelled"])
def test_leaves_others_alone(state: str) -> None:
    grant = make_grant(organization=make_organization(), state=state)
    entries = CreditEntry.objects.count()

    assert activate_grants([grant.pk], at=AT) == 0

    grant.refresh_from_db()
    assert (grant.state, CreditEntry.objects.count()) == (state, entries)


def test_nothing_to_do_is_no_error() -> None:
    assert activate_grants([], at=AT) == 0
