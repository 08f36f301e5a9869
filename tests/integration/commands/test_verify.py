"""What the person who runs `verify` sees."""

from io import StringIO

import pytest
from django.core.management import call_command

from billing.management.commands.verify import LISTED
from billing.models import CreditGrant
from billing.queries.verification import PROMISES
from tests.builders.credits import make_grant
from tests.builders.organizations import make_organization
from tests.builders.platform import make_platform

pytestmark = pytest.mark.django_db


def test_tells_what_was_checked_with_counts() -> None:
    make_platform()
    out = StringIO()

    call_command("verify", stdout=out)

    lines = out.getvalue().splitlines()
    assert "ok      What remains of a grant is the sum of its entries, and never negative. (7 grants)" in lines
    assert lines[-1] == f"promises checked: {len(PROMISES)}, broken things: 0"
    assert len(lines) == len(PROMISES) + 1


def test_names_each_broken_thing_and_fails() -> None:
    grant = make_grant(organization=make_organization(external_id="orga_atlas"), reference="TRIAL", amount_cents=500)
    CreditGrant.objects.filter(pk=grant.pk).update(remaining_cents=400)
    out = StringIO()

    with pytest.raises(SystemExit) as stopped:
        call_command("verify", stdout=out)

    assert stopped.value.code == 1
    assert "BROKEN  What remains of a grant" in out.getvalue()
    assert "        grant TRIAL (orga_atlas): What remains is 4.00, but its entries sum to 5.00.\n" in out.getvalue()
    assert out.getvalue().endswith("broken things: 2\n")  # the ledger's sums do not add up either


def test_long_lists_are_cut_but_counted() -> None:
    atlas = make_organization()
    for _ in range(LISTED + 3):
        make_grant(organization=atlas, type="free")
    CreditGrant.objects.update(currency="USD")
    out = StringIO()

    with pytest.raises(SystemExit):
        call_command("verify", stdout=out)

    assert out.getvalue().count("It is in USD, its organization in EUR.") == LISTED
    assert f"and 3 more, {LISTED + 3} in all" in out.getvalue()
