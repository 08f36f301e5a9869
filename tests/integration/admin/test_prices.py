"""Prices at the desk: versions are added, corrected while nobody was billed with them, never changed afterwards."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Meter, Price, UsageDetail
from tests.builders.desk import desk
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization
from tests.builders.usage import make_meter, make_price

pytestmark = pytest.mark.django_db

ADD = reverse("admin:billing_price_add")
# Midnight in Paris, in winter.
DECEMBER = datetime(2026, 11, 30, 23, tzinfo=UTC)


@pytest.fixture
def clara() -> Client:
    """The controller."""
    return desk("Controller")


def typed(meter: Meter, tiers: list[tuple[str, str]], /, **values: str) -> dict[str, str]:
    """What the form sends: a price per hour and its tiers (up to, unit price)."""
    rows = {
        f"tiers-{row}-{name}": value
        for row, tier in enumerate(tiers)
        for name, value in zip(("up_to_micro", "unit_price"), tier, strict=True)
    }
    return {
        "meter": str(meter.pk),
        "zone": "",
        "currency": "EUR",
        "organization": "",
        "valid_from": "",
        "per_quantity_micro": "3600",
        "package_micro": "",
        "mode": "graduated",
        "tiers-TOTAL_FORMS": str(len(tiers)),
        "tiers-INITIAL_FORMS": "0",
        **rows,
        **values,
    }


def errors_of(response: object) -> str:
    context = response.context  # type: ignore[attr-defined]  # set or read at run time
    found = [*context["errors"], *context["adminform"].form.non_field_errors()]
    found += [error for inline in context["inline_admin_formsets"] for error in inline.formset.non_form_errors()]
    return " ".join(map(str, found))


def invoice_with(price: Price) -> None:
    detail = UsageDetail(meter=price.meter, price=price, quantity_micro=1, amount_cents=0)
    make_invoice(status="pending", details=[detail])


def test_a_price_is_added_with_every_digit(clara: Client) -> None:
    meter = make_meter()

    response = clara.post(ADD, typed(meter, [("100", "0.00229166666666667"), ("", "0.002")], zone="PAR"))

    assert response.status_code == 302, errors_of(response)
    price = Price.objects.get()
    assert (price.meter, price.zone, price.valid_from, price.per_quantity_micro) == (meter, "par", None, 3_600_000_000)
    assert list(price.tiers.values_list("position", "up_to_micro", "unit_price")) == [
        (0, 100_000_000, Decimal("0.00229166666666667")),
        (1, None, Decimal("0.002")),
    ]


def test_tiers_are_put_in_the_order_of_their_bounds(clara: Client) -> None:
    clara.post(ADD, typed(make_meter(), [("", "3"), ("500", "2"), ("100", "1")]))
    tiers = Price.objects.get().tiers.values_list("up_to_micro", flat=True)
    assert list(tiers) == [100_000_000, 500_000_000, None]


def test_a_new_version_ends_the_one_before(clara: Client) -> None:
    old = make_price(meter=make_meter(), per_quantity=3_600)

    clara.post(ADD, typed(old.meter, [("", "0.02")], valid_from="2026-12-01"))

    old.refresh_from_db()
    new = Price.objects.exclude(pk=old.pk).get()
    assert (old.valid_to, new.valid_from, new.valid_to) == (DECEMBER, DECEMBER, None)


@pytest.mark.parametrize(
    ("tiers", "values", "refusal"),
    [
        ([("100", "1")], {}, "The last tier must be open"),
        ([("100", "1"), ("100", "2"), ("", "3")], {}, "must be above zero and ascend"),
        ([("", "1"), ("", "2")], {}, "Only the last tier may be open"),
        ([("", "-1")], {}, ""),
        ([("", "NaN")], {}, ""),
        ([("", "1")], {"per_quantity_micro": "0"}, "above zero"),
        ([("", "1")], {"currency": "JPY"}, "currency with two decimals"),
        ([("", "1")], {"meter": "999"}, ""),
        ([("", "1")], {"valid_from": "31/31/2026"}, ""),
    ],
)
def test_what_cannot_rate_is_refused_with_a_sentence_and_stores_nothing(
    clara: Client, tiers: list[tuple[str, str]], values: dict[str, str], refusal: str
) -> None:
    response = clara.post(ADD, typed(make_meter(), tiers, **values))

    assert response.status_code == 200
    assert refusal in response.content.decode()
    assert not Price.objects.exists()


def test_a_second_price_from_the_same_day_is_refused(clara: Client) -> None:
    make_price(meter=make_meter())
    response = clara.post(ADD, typed(make_meter(), [("", "5")]))
    assert "is already valid from ever: choose another day." in response.content.decode()
    assert Price.objects.count() == 1


def test_a_version_within_an_issued_month_is_refused(clara: Client) -> None:
    old = make_price(meter=make_meter(), per_quantity=3_600)
    invoice_with(old)  # October is issued

    response = clara.post(ADD, typed(old.meter, [("", "5")], valid_from="2026-10-15"))

    assert "it may be valid from 2026-11-01 at the earliest" in response.content.decode()
    assert Price.objects.count() == 1


def test_a_version_that_nobody_was_billed_with_can_be_corrected(clara: Client) -> None:
    price = make_price(meter=make_meter(), unit_price="0.01", per_quantity=3_600)
    tier = price.tiers.get()
    url = reverse("admin:billing_price_change", args=[price.pk])
    values = typed(price.meter, [("10", "0.03"), ("", "0.02")])
    values |= {"tiers-INITIAL_FORMS": "1", "tiers-0-id": str(tier.pk), "tiers-0-price": str(price.pk)}

    response = clara.post(url, values)

    assert response.status_code == 302, errors_of(response)
    assert [str(tier) for tier in price.tiers.all()] == ["0.03", "0.02"]


def test_a_version_on_an_issued_invoice_is_read_only_and_leads_to_a_copy(clara: Client) -> None:
    price = make_price(meter=make_meter(code="cellar", unit="GB"), tiers=((10, "0"), (None, "0.09")))
    invoice_with(price)
    url = reverse("admin:billing_price_change", args=[price.pk])

    page = clara.get(url)

    assert "An issued invoice was rated with this version, so it stays as it is." in page.content.decode()
    assert ">10</span>" in page.content.decode()  # the bound, not its millionths
    assert clara.post(url, typed(price.meter, [("", "5")])).status_code == 403
    copy = clara.get(page.context["new_version_url"])
    assert 'value="0.09"' in copy.content.decode()
    assert copy.context["adminform"].form.initial["meter"] == price.meter


def test_taking_a_version_back_puts_the_one_before_in_force_again(clara: Client) -> None:
    old = make_price(meter=make_meter(), valid_to=DECEMBER)
    new = make_price(meter=old.meter, valid_from=DECEMBER)

    clara.post(reverse("admin:billing_price_delete", args=[new.pk]), {"post": "yes"})

    old.refresh_from_db()
    assert (Price.objects.count(), old.valid_to) == (1, None)


def test_a_version_on_an_issued_invoice_cannot_be_taken_back(clara: Client) -> None:
    price = make_price(meter=make_meter())
    invoice_with(price)
    assert clara.post(reverse("admin:billing_price_delete", args=[price.pk]), {"post": "yes"}).status_code == 403
    assert Price.objects.count() == 1


def test_an_issued_invoice_that_comes_while_the_form_is_open_wins(
    clara: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = make_price(meter=make_meter(), unit_price="0.01", per_quantity=3_600)
    invoice_with(price)
    # The page was opened before.
    monkeypatch.setattr("billing.admin.prices.is_invoiced", lambda pk: False)
    values = typed(price.meter, [("", "0.02")])
    values |= {"tiers-INITIAL_FORMS": "1", "tiers-0-id": str(price.tiers.get().pk), "tiers-0-price": str(price.pk)}

    response = clara.post(reverse("admin:billing_price_change", args=[price.pk]), values)

    assert "An issued invoice was rated with this price" in response.content.decode()
    assert str(price.tiers.get()) == "0.01"


def test_a_negotiated_price_is_shown_beside_the_catalogue(clara: Client) -> None:
    organization = make_organization(name="Atlas")
    clara.post(ADD, typed(make_meter(), [("", "0.02")], organization=str(organization.pk)))
    make_price(meter=make_meter())

    negotiated = clara.get(reverse("admin:billing_price_changelist"), {"catalogue": "0"})

    assert negotiated.context["cl"].result_count == 1
    assert "Atlas" in negotiated.content.decode()


@pytest.mark.parametrize("role", ["Viewer", "Accountant", "Billing manager", "Auditor"])
def test_only_the_controller_sets_prices(role: str) -> None:
    client = desk(role)
    price = make_price(meter=make_meter())
    assert client.post(ADD, typed(price.meter, [("", "5")])).status_code == 403
    assert client.post(reverse("admin:billing_price_delete", args=[price.pk])).status_code == 403
    assert client.get(reverse("admin:billing_price_change", args=[price.pk])).status_code == 200
