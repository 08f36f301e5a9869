"""The five groups of staff: what `migrate` leaves behind, and what each may do."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.models.signals import post_migrate

from billing.usecases.ensure_roles import ROLES, ensure_roles
from organizations.models import User
from tests.builders.desk import make_staff

pytestmark = pytest.mark.django_db

COMPUTED = [
    *("invoice", "invoiceline", "taxsubtotal", "creditstatement", "usagedetail"),
    *("monthclose", "closeoutcome", "creditentry", "usagerecord", "resource"),
]


def rights_of(name: str) -> set[str]:
    permissions = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in permissions}


@pytest.mark.parametrize("role", ROLES)
def test_migrate_leaves_each_group_with_exactly_its_rights(role: str) -> None:
    # None of the names is misspelt: each right is a permission that exists.
    assert rights_of(role) == set(ROLES[role])


def test_running_it_again_changes_nothing_and_undoes_what_somebody_changed() -> None:
    viewer = Group.objects.get(name="Viewer")
    viewer.permissions.add(Permission.objects.get(codename="delete_charge"))
    own = Group.objects.create(name="Interns")
    own.permissions.add(Permission.objects.get(codename="view_charge"))
    before = Group.objects.count()

    ensure_roles()
    ensure_roles()

    assert Group.objects.count() == before
    assert rights_of("Viewer") == set(ROLES["Viewer"])
    assert rights_of("Interns") == {"billing.view_charge"}


def test_it_runs_with_every_migrate() -> None:
    Group.objects.filter(name="Auditor").delete()

    billing = apps.get_app_config("billing")
    post_migrate.send(sender=billing, app_config=billing, using="default", apps=apps, verbosity=0, interactive=False)

    assert rights_of("Auditor") == set(ROLES["Auditor"])


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("Viewer", "billing.view_invoice", "billing.add_payment"),
        ("Accountant", "billing.add_payment", "billing.add_creditgrant"),
        ("Billing manager", "billing.add_creditgrant", "billing.change_price"),
        ("Controller", "billing.change_price", "billing.add_payment"),
        ("Auditor", "admin.view_logentry", "billing.add_charge"),
    ],
)
def test_each_role_may_do_its_own_work_only(role: str, may: str, may_not: str) -> None:
    user = make_staff(role)
    assert user.has_perm(may)
    assert not user.has_perm(may_not)


def test_groups_and_the_audit_trail_are_the_auditors_alone() -> None:
    for role in ROLES:
        assert make_staff(role).has_perm("auth.view_group") is (role == "Auditor")
        assert make_staff(role).has_perm("admin.view_logentry") is (role == "Auditor")


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_touch_what_is_computed(role: str) -> None:
    user: User = make_staff(role)
    assert not [
        f"{verb}_{name}"
        for name in COMPUTED
        for verb in ("add", "change", "delete")
        if user.has_perm(f"billing.{verb}_{name}")
    ]
