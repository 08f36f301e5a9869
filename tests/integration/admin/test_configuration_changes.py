"""The log of configuration changes: what is in it, who reads it, what it costs."""

from datetime import date
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.domain.pricing import Tier
from billing.models import LegalEntity, Price, TaxRate
from billing.usecases._price_versions import PriceTerms, terms_of
from billing.usecases.correct_price import correct_price
from organizations.models import BillingProfile, Organization, User
from tests.builders.desk import desk, make_staff
from tests.builders.imports import billing_object, import_lines, organization_line
from tests.builders.organizations import make_organization
from tests.builders.usage import make_meter, make_price

pytestmark = pytest.mark.django_db


def entries(model: type[Any], *, action: int | None = None) -> list[LogEntry]:
    rows = LogEntry.objects.filter(content_type__model=model._meta.model_name).order_by("pk")
    return [row for row in rows if action is None or row.action == action]


def url(name: str, row: Any) -> str:
    return reverse(f"admin:{name}_change", args=[row.pk])


def test_a_setting_says_who_changed_it_from_what_to_what() -> None:
    entity = LegalEntity.objects.get()
    before = entity.city
    form = {"name": "Nuage SAS", "address": "3 rue de l'Allier", "city": "Nantes", "country": "FR"}
    desk("Controller").post(url("billing_legalentity", entity), form)

    entry = entries(LegalEntity)[-1]

    assert str(entry.actor) == "Clara"
    assert entry.changes["city"] == [before, "Nantes"]


def test_a_vat_rate_is_logged_when_added_and_deleted() -> None:
    clara = desk("Controller")
    form = {"territory": "fr", "rate_bp": "21.5", "valid_from": "2027-01-01"}
    clara.post(reverse("admin:billing_taxrate_add"), form)
    rate = TaxRate.objects.get(valid_from=date(2027, 1, 1))
    clara.post(reverse("admin:billing_taxrate_delete", args=[rate.pk]), {"post": "yes"})
    assert [entry.get_action_display() for entry in entries(TaxRate)] == ["create", "delete"]


def test_a_price_is_logged_with_its_tiers() -> None:
    price = make_price(meter=make_meter(), tiers=((10, "0"), (None, "0.07")))
    terms = terms_of(price)
    LogEntry.objects.all().delete()

    correct_price(
        price_id=price.pk, terms=PriceTerms(per_quantity_micro=terms.per_quantity_micro, tiers=(terms.tiers[1],))
    )

    (entry,) = entries(Price)
    assert entry.changes == {"tiers": ["0 up to 10; 0.07", "0.07"]}
    assert isinstance(terms.tiers[0], Tier)


def test_an_organization_saved_at_the_desk_is_logged_though_a_use_case_saves_it() -> None:
    organization = make_organization(name="Atlas")
    LogEntry.objects.all().delete()
    fiona = desk("Accountant")
    page = fiona.get(url("organizations_organization", organization))
    form = {name: value for name, value in page.context["adminform"].form.initial.items() if value is not None}
    formsets = {
        f"{prefix}-{name}": value
        for prefix in ("billing_profile", "memberships")
        for name, value in {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"}.items()
    }
    fiona.post(url("organizations_organization", organization), {**form, **formsets, "name": "Atlas SE"})

    (entry,) = entries(Organization)
    assert entry.changes == {"name": ["Atlas", "Atlas SE"]}
    assert str(entry.actor) == "Fiona"


def test_rights_are_logged_and_secrets_are_not() -> None:
    fiona = make_staff("Accountant")
    LogEntry.objects.all().delete()

    fiona.groups.add(Group.objects.get(name="Controller"))
    fiona.set_password("another long password")
    fiona.save()
    client = Client()
    client.force_login(fiona)  # writes when she signed in last

    (entry,) = entries(User)
    assert entry.changes["groups"]["objects"] == ["Controller"]
    assert not [row for row in LogEntry.objects.all() if fiona.password in str(row.changes)]


def test_an_import_of_many_bypasses_the_log() -> None:
    import_lines(*(organization_line(f"orga_{serial}", billing=billing_object()) for serial in range(3)))
    assert Organization.objects.count() == BillingProfile.objects.count() == 3
    assert entries(Organization) == entries(BillingProfile) == []


def test_the_auditor_reads_it_and_nobody_edits_it() -> None:
    entity = LegalEntity.objects.get()
    entity.city = "Nantes"
    entity.save()
    entry = entries(LegalEntity)[-1]
    changelist, page = reverse("admin:auditlog_logentry_changelist"), url("auditlog_logentry", entry)

    otto = desk("Auditor")
    assert "Nantes" in otto.get(changelist, {"kind": "billing.legalentity"}).content.decode()
    assert "Nantes" in otto.get(page).content.decode()
    assert "system" in otto.get(page).content.decode()
    assert otto.post(page, {"object_repr": "x"}).status_code == 403
    assert otto.post(reverse("admin:auditlog_logentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert desk("Billing manager").get(changelist).status_code == 403


def test_figures_are_decimals() -> None:
    organization = make_organization(name="Atlas")
    organization.negotiated_refill_cents, organization.consumption_discount_ppm = 123_456, 150_000
    organization.save()
    page = desk("Auditor").get(url("auditlog_logentry", entries(Organization)[-1])).content.decode()
    assert "1234.56" in page
    assert "15" in page


def test_roles_follow_from_the_code_and_are_not_logged() -> None:
    assert entries(Group) == []


def test_what_is_not_logged_costs_nothing() -> None:
    organization = make_organization()
    with CaptureQueriesContext(connection) as queries:
        Organization.objects.filter(pk=organization.pk).update(name="Atlas SE")
    assert len(queries) == 1
