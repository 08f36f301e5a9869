"""Admins say who belongs to their organization; one Admin always stays, and nobody learns who has an account."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from auditlog.models import LogEntry
from django.db import connection

from organizations.models import Membership, Organization, User
from organizations.roles import RoleRequired
from organizations.usecases._members import LastAdmin, UnknownMember, UnknownRole
from organizations.usecases.change_member_role import change_member_role
from organizations.usecases.invite_member import AlreadyMember, NotAnAddress, invite_member
from organizations.usecases.remove_member import remove_member
from tests.builders.customers import make_member
from tests.builders.organizations import make_organization


def invite(organization: Organization, actor: User, email: str, role: str = "developer") -> Membership:
    return invite_member(organization_id=organization.pk, email=email, role=role, actor=actor)


def demote(organization: Organization, actor: User, member: User, role: str = "developer") -> Membership:
    membership = Membership.objects.get(organization=organization, user=member)
    return change_member_role(organization_id=organization.pk, membership_id=membership.pk, role=role, actor=actor)


def remove(organization: Organization, actor: User, member: User) -> Membership:
    membership = Membership.objects.get(organization=organization, user=member)
    return remove_member(organization_id=organization.pk, membership_id=membership.pk, actor=actor)


def roles_of(organization: Organization) -> dict[str, str]:
    return dict(Membership.objects.filter(organization=organization).values_list("user__email", "role"))


@pytest.mark.django_db
class TestMembers:
    def test_somebody_new_gets_an_account_without_password(self) -> None:
        atlas = make_organization()
        added = invite(atlas, make_member("alice", atlas), " New@Example.org ", "accountant")

        assert added.user.email == "new@example.org"
        assert not added.user.has_usable_password()
        assert not added.user.is_staff
        assert roles_of(atlas)["new@example.org"] == "accountant"
        assert LogEntry.objects.get_for_object(added).exists()

    def test_somebody_with_an_account_keeps_it(self) -> None:
        atlas, boreal = make_organization(), make_organization(name="Boreal")
        charlie = make_member("charlie", boreal, role="developer")

        added = invite(atlas, make_member("alice", atlas), "CHARLIE@example.com")

        charlie.refresh_from_db()
        assert added.user == charlie
        assert charlie.has_usable_password()
        assert roles_of(boreal) == {"charlie@example.com": "developer"}

    @pytest.mark.parametrize("email", ["", "nobody", "a@b", "x" * 250 + "@example.com", "a\0@example.com"])
    def test_what_is_no_address_is_refused(self, email: str) -> None:
        atlas = make_organization()
        with pytest.raises(NotAnAddress):
            invite(atlas, make_member("alice", atlas), email)
        assert User.objects.count() == 1

    def test_a_member_is_not_added_again(self) -> None:
        atlas = make_organization()
        alice = make_member("alice", atlas)
        with pytest.raises(AlreadyMember):
            invite(atlas, alice, "alice@example.com", "developer")
        assert roles_of(atlas) == {"alice@example.com": "admin"}

    @pytest.mark.parametrize("name", ["bob", "dave", "erin"])
    def test_only_admins_change_members(self, name: str) -> None:
        atlas = make_organization()
        alice, other = make_member("alice", atlas), make_member(name, atlas)
        before = roles_of(atlas)
        with pytest.raises(RoleRequired):
            invite(atlas, other, "new@example.com")
        for change in (demote, remove):
            with pytest.raises(RoleRequired):
                change(atlas, other, alice)
        assert roles_of(atlas) == before
        assert not User.objects.filter(email="new@example.com").exists()

    def test_admins_of_others_change_nothing(self) -> None:
        atlas, boreal = make_organization(), make_organization(name="Boreal")
        alice, stranger = make_member("alice", atlas), make_member("charlie", boreal, role="admin")
        with pytest.raises(RoleRequired):
            demote(atlas, stranger, alice)
        theirs = Membership.objects.get(organization=boreal)
        with pytest.raises(UnknownMember):
            remove_member(organization_id=atlas.pk, membership_id=theirs.pk, actor=alice)
        assert roles_of(boreal) == {"charlie@example.com": "admin"}

    def test_roles_change_and_members_go(self) -> None:
        atlas = make_organization()
        alice, bob = make_member("alice", atlas), make_member("bob", atlas)

        demote(atlas, alice, bob, "admin")
        demote(atlas, bob, alice, "manager")
        remove(atlas, bob, alice)

        assert roles_of(atlas) == {"bob@example.com": "admin"}
        assert User.objects.filter(pk=alice.pk).exists()

    def test_an_unknown_role_is_refused(self) -> None:
        atlas = make_organization()
        alice = make_member("alice", atlas)
        with pytest.raises(UnknownRole):
            demote(atlas, alice, alice, "owner")

    def test_the_last_admin_stays(self) -> None:
        atlas = make_organization()
        alice = make_member("alice", atlas)
        gone = make_member("charlie", atlas, role="admin")
        gone.is_active = False
        gone.save()
        for change in (demote, remove):
            with pytest.raises(LastAdmin, match="make somebody else one first"):
                change(atlas, alice, alice)
        assert roles_of(atlas)["alice@example.com"] == "admin"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
class TestAtOnce:
    @pytest.mark.parametrize("how", [demote, remove])
    def test_two_admins_cannot_do_away_with_each_other(self, how: Callable[..., Membership]) -> None:
        atlas = make_organization()
        alice, bob = make_member("alice", atlas), make_member("bob", atlas, role="admin")

        results = at_once(lambda: how(atlas, alice, bob), lambda: how(atlas, bob, alice))

        assert sum(isinstance(result, Membership) for result in results) == 1
        assert list(roles_of(atlas).values()).count("admin") == 1

    def test_two_admins_cannot_both_step_down(self) -> None:
        atlas = make_organization()
        alice, bob = make_member("alice", atlas), make_member("bob", atlas, role="admin")

        results = at_once(lambda: demote(atlas, alice, alice), lambda: demote(atlas, bob, bob))

        assert sum(isinstance(result, LastAdmin) for result in results) == 1
        assert list(roles_of(atlas).values()).count("admin") == 1

    def test_a_person_invited_twice_at_once_is_one(self) -> None:
        atlas, boreal = make_organization(), make_organization(name="Boreal")
        alice, charlie = make_member("alice", atlas), make_member("charlie", boreal, role="admin")

        at_once(lambda: invite(atlas, alice, "new@example.com"), lambda: invite(boreal, charlie, "New@example.com"))

        assert User.objects.filter(email__iexact="new@example.com").count() == 1
        assert Membership.objects.filter(user__email__iexact="new@example.com").count() == 2


def at_once(*calls: Callable[[], Membership]) -> list[Membership | Exception]:
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Membership]) -> Membership | Exception:
        try:
            barrier.wait()
            return call()
        except (LastAdmin, RoleRequired, UnknownMember) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
