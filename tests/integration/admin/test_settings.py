"""The legal entity, VAT rates, number series, meters, and the people of the desk."""

from datetime import date

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from billing.models import LegalEntity, Meter, NumberSeries, TaxRate
from organizations.models import User
from tests.builders.desk import desk, make_staff
from tests.builders.invoices import make_invoice
from tests.builders.usage import make_meter

pytestmark = pytest.mark.django_db


@pytest.fixture
def clara() -> Client:
    """The controller."""
    return desk("Controller")


def url(name: str, row: object) -> str:
    return reverse(f"admin:{name}_change", args=[getattr(row, "pk")])  # noqa: B009  # any row has one


def test_the_seller_is_completed(clara: Client) -> None:
    entity = LegalEntity.objects.get()
    form = {"name": "Nuage SAS", "address": "3 rue de l'Allier", "city": "Nantes", "country": "FR"}
    clara.post(url("billing_legalentity", entity), form)
    entity.refresh_from_db()
    assert (entity.name, entity.city) == ("Nuage SAS", "Nantes")
    assert clara.get(reverse("admin:billing_legalentity_add")).status_code == 403


def test_a_template_that_would_repeat_numbers_is_refused(clara: Client) -> None:
    series = NumberSeries.objects.get(kind="invoice")

    refused = clara.post(url("billing_numberseries", series), {"template": "F{date:%Y}"})
    clara.post(url("billing_numberseries", series), {"template": "INV-{counter:08d}"})

    assert "The template must contain {counter}" in refused.content.decode()
    series.refresh_from_db()
    assert series.template == "INV-{counter:08d}"
    assert "INV-00000001" in clara.get(reverse("admin:billing_numberseries_changelist")).content.decode()


def test_the_counter_of_a_series_is_not_typed(clara: Client) -> None:
    series = NumberSeries.objects.get(kind="invoice")
    clara.post(url("billing_numberseries", series), {"template": series.template, "last_counter": "99"})
    series.refresh_from_db()
    assert series.last_counter == 0


def test_a_vat_rate_is_added_from_a_day_on(clara: Client) -> None:
    form = {"territory": "fr", "rate_bp": "21.5", "valid_from": "2027-01-01"}
    clara.post(reverse("admin:billing_taxrate_add"), form)
    assert TaxRate.objects.get(territory="FR", valid_from=date(2027, 1, 1)).rate_bp == 2_150


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"territory": "F1"}, "A territory is a code of two letters"),
        ({"rate_bp": "101"}, "Write a percentage from 0 to 100"),
        ({"valid_from": "2026-10-15"}, "Invoices are issued since that day"),
        ({"territory": "FR", "valid_from": "2014-01-01"}, "Invoices are issued since that day"),
    ],
)
def test_a_vat_rate_that_cannot_be_is_refused(clara: Client, values: dict[str, str], refusal: str) -> None:
    make_invoice(status="pending")  # issued on 1 November
    form = {"territory": "FR", "rate_bp": "20", "valid_from": "2027-01-01", **values}
    assert refusal in clara.post(reverse("admin:billing_taxrate_add"), form).content.decode()


def test_a_rate_under_which_invoices_were_issued_stays(clara: Client) -> None:
    make_invoice(status="pending")
    rate = TaxRate.objects.get(territory="FR")
    form = {"territory": "FR", "rate_bp": "19", "valid_from": "2014-01-01"}
    assert clara.post(url("billing_taxrate", rate), form).status_code == 403
    assert "20 %" in clara.get(url("billing_taxrate", rate)).content.decode()


def test_meter_codes_differ_by_more_than_their_case(clara: Client) -> None:
    make_meter(code="apps.S")
    form = {"code": "APPS.s", "name": "Apps", "unit": "second", "category": "runtime"}
    refused = clara.post(reverse("admin:billing_meter_add"), form)
    assert "There is a meter with this code already" in refused.content.decode()
    assert Meter.objects.count() == 1


def test_the_unit_of_a_meter_stays(clara: Client) -> None:
    meter = make_meter(unit="second")
    clara.post(url("billing_meter", meter), {"name": "Small", "category": "runtime", "unit": "hour", "code": "x"})
    meter.refresh_from_db()
    assert (meter.name, meter.unit, meter.code) == ("Small", "second", "apps.S")


def test_groups_of_the_product_are_not_edited_and_others_are() -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root@example.com"))
    own = Group.objects.create(name="Interns")
    assert root.post(url("auth_group", Group.objects.get(name="Viewer")), {"name": "Viewers"}).status_code == 403
    root.post(url("auth_group", own), {"name": "Trainees"})
    own.refresh_from_db()
    assert own.name == "Trainees"


def test_an_address_that_differs_by_case_only_is_taken() -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root@example.com"))
    form = {
        "email": "ROOT@example.com",
        "usable_password": "true",
        "password1": "a long enough password",
        "password2": "a long enough password",
    }
    response = root.post(reverse("admin:organizations_user_add"), form)
    assert "Somebody signs in with this address already." in response.content.decode()
    assert User.objects.count() == 1


def test_an_auditor_sees_people_but_not_their_passwords() -> None:
    fiona = make_staff("Accountant")
    page = desk("Auditor").get(url("organizations_user", fiona)).content.decode()
    assert "fiona@example.com" in page
    assert fiona.password not in page
    assert fiona.password.split("$")[-1] not in page


def test_people_are_made_inactive_not_deleted() -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root@example.com"))
    fiona = make_staff("Accountant")
    assert root.post(reverse("admin:organizations_user_delete", args=[fiona.pk])).status_code == 403


def test_what_people_change_is_on_the_audit_trail(clara: Client) -> None:
    meter = make_meter()
    clara.post(url("billing_meter", meter), {"name": "Small", "category": "runtime"})
    assert LogEntry.objects.get().object_id == str(meter.pk)
    page = desk("Auditor").get(reverse("admin:admin_logentry_changelist")).content.decode()
    assert "Changed Name" in page
