"""Webhooks at the desk: made with a secret shown once, tried, switched off, messages sent again."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext, override

from billing.domain.webhooks import EVENT_TYPES
from billing.models import Event, WebhookDelivery, WebhookEndpoint
from billing.usecases.change_webhook import ping_webhook
from billing.usecases.send_webhook import LOST_SECRET, TOO_LATE
from tests.builders.api import NOW
from tests.builders.desk import desk
from tests.builders.webhooks import make_webhook

pytestmark = pytest.mark.django_db

ADD = "/admin/billing/webhookendpoint/add/"
FORM = {"name": "Books", "url": "https://books.example.org/hook", "events": ["invoice.issued", "invoice.paid"]}


def do(row: WebhookEndpoint | WebhookDelivery, action: str, client: Client | None = None, **data: str) -> Any:
    url = reverse(f"admin:billing_{row._meta.model_name}_do", args=[row.pk, action])
    return (client or desk()).post(url, data or {"confirmed": "1"}, headers={"HX-Request": "true"})


def test_a_secret_is_shown_once() -> None:
    client = desk()
    response = client.post(ADD, FORM)
    (secret,) = re.findall(r"whsec_[\w+/=]+", response.content.decode())
    assert "no-store" in response.headers["Cache-Control"]
    row = WebhookEndpoint.objects.get()
    assert (row.name, row.events) == ("Books", ["invoice.issued", "invoice.paid"])
    page = client.get(reverse("admin:billing_webhookendpoint_change", args=[row.pk])).content.decode()
    assert secret not in page
    assert "an invoice was issued" in page
    assert Event.objects.get(kind="webhook.created").values == {"name": "Books"}


def test_what_is_wrong_is_said_in_the_form() -> None:
    response = desk().post(ADD, {**FORM, "url": "https://127.0.0.1/"})
    assert "private network" in response.content.decode()
    assert desk().post(ADD, {**FORM, "events": ["nothing"]}).status_code == 200
    assert WebhookEndpoint.objects.count() == 0


def test_its_buttons() -> None:
    row, secret = make_webhook()
    do(row, "ping")
    assert WebhookDelivery.objects.get().type == "ping"
    rotated = do(row, "rotate")
    assert re.findall(r"whsec_[\w+/=]+", rotated.content.decode()) not in ([], [secret])
    do(row, "disable", reason="Moves")
    row.refresh_from_db()
    assert row.disabled_at is not None
    assert "switched off" in do(row, "ping").content.decode()
    do(row, "enable")
    assert WebhookEndpoint.objects.get().disabled_at is None
    WebhookDelivery.objects.update(state="failed")
    do(row, "resend_failed")
    delivery = WebhookDelivery.objects.get()
    assert delivery.state == "waiting"
    WebhookDelivery.objects.update(state="delivered", delivered_at=NOW)
    do(delivery, "resend")
    delivery.refresh_from_db()
    assert delivery.state == "waiting"


def test_a_message_can_be_read_by_all_staff_and_sent_again_by_some() -> None:
    row, _ = make_webhook()
    ping_webhook(webhook_id=row.pk, actor=None, at=NOW)
    delivery = WebhookDelivery.objects.get()
    url = reverse("admin:billing_webhookdelivery_change", args=[delivery.pk])
    for role in ("Viewer", "Accountant", "Billing manager", "Controller", "Auditor"):
        page = desk(role).get(url).content.decode()
        assert delivery.event_id in page
        assert ("/do/resend/" in page) == (role not in ("Viewer", "Auditor"))
        listed = desk(role).get(reverse("admin:billing_webhookdelivery_changelist"))
        assert listed.status_code == 200
    assert do(delivery, "resend", client=desk("Viewer")).status_code == 403
    assert do(row, "rotate", client=desk("Accountant")).status_code == 403
    assert desk("Accountant").get(ADD).status_code == 403


def test_the_first_page_says_which_are_failing(settings: Any) -> None:
    row, _ = make_webhook()
    url = reverse("admin:index")
    assert "Webhooks have taken no message" not in desk().get(url).content.decode()
    WebhookEndpoint.objects.filter(pk=row.pk).update(failures=3, failing_since=NOW.replace(year=2020))
    assert "Webhooks have taken no message" in desk().get(url).content.decode()


def test_they_are_described() -> None:
    described = Client().get("/api/schema/").json()["webhooks"]
    assert tuple(described) == EVENT_TYPES
    assert "whsec_" in described["invoice.paid"]["post"]["description"]


@pytest.mark.parametrize("reason", [LOST_SECRET, TOO_LATE])
def test_why_a_message_is_not_delivered_is_said_in_the_language_of_who_reads(reason: str) -> None:
    row, _secret = make_webhook()
    ping_webhook(webhook_id=row.pk, actor=None, at=NOW)
    WebhookDelivery.objects.update(state="failed", error=reason)
    client = desk()
    client.cookies["django_language"] = "fr"
    with override("fr"):
        french = escape(gettext(reason))
    assert french != escape(reason)
    for address in (
        reverse("admin:billing_webhookdelivery_changelist"),
        reverse("admin:billing_webhookdelivery_change", args=[WebhookDelivery.objects.get().pk]),
    ):
        page = client.get(address, headers={"Accept-Language": "fr"}).content.decode()
        assert french in page
        assert escape(reason) not in page
