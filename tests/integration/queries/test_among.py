"""Conditions on many ids."""

import pytest
from django.db.models import Q

from billing.queries.among import among, among_texts
from organizations.models import BillingProfile, Organization
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


def test_rows_with_one_of_the_ids_are_found() -> None:
    one, _, three = (make_organization().pk for _ in range(3))

    found = Organization.objects.filter(among("id", [one, three, 10**15])).order_by("id")

    assert [organization.pk for organization in found] == [one, three]


def test_it_combines_with_other_conditions_and_follows_references() -> None:
    parent, other = make_organization(), make_organization(name="Borealis")
    child = make_organization(parent=parent)

    found = Organization.objects.filter(among("parent", {parent.pk}) | Q(name="Borealis")).order_by("id")

    assert list(found) == [other, child]
    assert BillingProfile.objects.filter(among("organization", [other.pk]), country="FR").count() == 1


def test_no_ids_find_nothing_and_are_negated_to_everything() -> None:
    make_organization()

    assert not Organization.objects.filter(among("id", [])).exists()
    assert Organization.objects.filter(~among("id", [])).count() == 1


def test_more_ids_than_a_statement_takes_parameters() -> None:
    organization = make_organization()

    assert Organization.objects.get(among("id", range(1, 300_000))) == organization


def test_texts_are_found_whatever_they_hold() -> None:
    odd = ['a"b', "a\\b", "a,b", "{a}", "a'b", "a\nb", "null", "é", " ", "%s"]
    for text in odd:
        make_organization(external_id=text)
    make_organization(external_id="other")

    found = Organization.objects.filter(among_texts("external_id", [*odd, "missing"])).order_by("id")

    assert [organization.external_id for organization in found] == odd
    assert not Organization.objects.filter(among_texts("external_id", [])).exists()
