"""Organizations are found by the beginning of their name among hundreds of thousands."""

import pytest
from django.db import connection

from organizations.queries import find_organizations
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


def test_upper_and_lower_case_are_the_same() -> None:
    atlas = make_organization(name="Atlas", external_id="orga_1")
    assert find_organizations("aTL").get() == atlas
    assert find_organizations("ORGA_1").get() == atlas


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no operator classes")
def test_postgresql_uses_the_indexes_whatever_its_collation() -> None:
    make_organization(name="Atlas")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = find_organizations("Atlas").order_by().explain()
    assert "organization_name_upper" in plan
    assert "organization_ext_id_upper" in plan
