"""Webhooks: written with what happened, sent at least once, never to where they may not go."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.domain.webhooks import EVENT_TYPES, sign
from billing.models import Event, Invoice, WebhookDelivery, WebhookEndpoint
from billing.usecases import create_webhook as creating
from billing.usecases import forget_webhook_messages
from billing.usecases._permissions import NotAllowed
from billing.usecases._webhooks import announce_ping
from billing.usecases.announce_overdue import announce_overdue
from billing.usecases.change_webhook import ping_webhook, rotate_webhook_secret, switch_webhook
from billing.usecases.create_webhook import WebhookRefused, create_webhook
from billing.usecases.deliver_webhook import NotDelivered
from billing.usecases.hold_payment import hold_payment
from billing.usecases.resend_webhook import UnableToResend, resend_failed_webhooks, resend_webhook
from billing.usecases.resume_payment import resume_payment
from billing.usecases.send_webhook import LEASE, TOO_LATE, Sent, send_webhook
from organizations.models import Organization
from tests.builders.api import NOW
from tests.builders.closing import close, consume, issue, local, make_metered_price
from tests.builders.credits import make_grant
from tests.builders.desk import make_staff
from tests.builders.invoices import make_invoice
from tests.builders.money import charge_back, receive
from tests.builders.organizations import make_organization
from tests.builders.webhooks import Listener, make_webhook

pytestmark = pytest.mark.django_db

NOVEMBER_3 = local("2026-11-03 10:00")


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    organization = make_organization(external_id="orga_atlas", name="Atlas")
    consume(organization, quantity=10_000, on="2026-10-03")
    return organization


def send_all(listener: Listener, at: Any = NOVEMBER_3) -> list[Sent]:
    became = []
    while (one := send_webhook(post=listener, at=at, chance=lambda: 0)) is not None:
        became.append(one)
    return became


def told(at: Any = NOVEMBER_3) -> list[tuple[str, dict[str, Any]]]:
    listener = Listener()
    WebhookDelivery.objects.update(try_until=at)  # however late the test looks
    send_all(listener, at)
    return [(each["type"], each["data"]) for each in listener.messages]


def pay(invoice: Invoice) -> None:
    receive(invoice.organization, invoice.total_cents, for_invoice=invoice, at=NOVEMBER_3 + timedelta(days=20))


def types() -> list[str]:
    return list(WebhookDelivery.objects.order_by("id").values_list("type", flat=True))


# --- What is announced ------------------------------------------------------------------------------------------------


def test_a_month_is_announced_from_its_close_to_its_money(atlas: Organization) -> None:
    make_webhook()
    close("2026-10")
    (number,) = issue("2026-10").numbers
    invoice = Invoice.objects.get(number=number)
    pay(invoice)
    finished, issued, paid = told(NOVEMBER_3 + timedelta(days=60))
    assert finished[0] == "month_close.finished"
    assert (finished[1]["month"], finished[1]["run"]) == ("2026-10", 1)
    assert finished[1]["outcomes"] == {"invoice": 1, "nil": 0, "on_parent": 0, "blocked": 0}
    assert issued[0] == "invoice.issued"
    assert issued[1]["number"] == number
    assert (issued[1]["total"], issued[1]["amount_due"], issued[1]["status"]) == ("240.00", "240.00", "pending")
    assert paid[0] == "invoice.paid"
    assert (paid[1]["number"], paid[1]["amount_due"], paid[1]["status"]) == (number, "0.00", "paid")


def test_what_credits_covered_is_paid_at_once(atlas: Organization) -> None:
    make_webhook("invoice.paid")
    make_grant(organization=atlas, amount_cents=1_000_00, type="free")
    Organization.objects.update(forecast_months=0)  # no provision
    close("2026-10")
    issue("2026-10")
    assert Invoice.objects.get(document_state="issued").total_cents == 0
    assert types() == ["invoice.paid"]


def test_what_is_undone_was_not_announced(atlas: Organization) -> None:
    make_webhook("invoice.issued")
    close("2026-10")
    with transaction.atomic():
        issue("2026-10")
        assert types() == ["invoice.issued"]
        transaction.set_rollback(True)
    assert types() == []


def test_without_anybody_who_listens_nothing_is_written(atlas: Organization) -> None:
    row, _ = make_webhook("invoice.issued")
    make_webhook("invoice.overdue", name="other")
    switch_webhook(webhook_id=row.pk, on=False, actor=None, at=NOW)
    close("2026-10")
    assert len(issue("2026-10").numbers) == 1
    assert types() == []


def test_an_organization_hears_of_its_own(atlas: Organization) -> None:
    other = make_organization(external_id="orga_other", name="Other")
    consume(other, quantity=20_000, on="2026-10-03")
    make_webhook(organization=other)
    close("2026-10")
    assert len(issue("2026-10").numbers) == 2
    assert [(kind, data["organization"]) for kind, data in told()] == [("invoice.issued", "orga_other")]


def test_many_invoices_take_no_more_queries_than_one(atlas: Organization) -> None:
    make_webhook()

    def queries(month: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            issue(month)
        return len(captured)

    close("2026-10")
    one = queries("2026-10")
    for number in range(9):
        consume(make_organization(external_id=f"orga_{number}", name="N"), quantity=100, on="2026-11-03")
    consume(atlas, quantity=10_000, on="2026-11-03")
    close("2026-11")
    assert queries("2026-11") <= one + 1
    assert types().count("invoice.issued") == 11


# --- Overdue ----------------------------------------------------------------------------------------------------------


def test_what_waited_for_longer_than_it_is_tried_is_not_sent_but_by_hand(atlas: Organization) -> None:
    endpoint, _ = make_webhook("organization.suspend")
    make_invoice(organization=atlas, status="pending", fees_cents=10_00)
    assert announce_overdue(at=local("2026-12-02 08:00")) == 2
    switch_webhook(webhook_id=endpoint.pk, on=False, actor=None, at=local("2026-12-02 08:01"))
    later = local("2026-12-20 08:00")
    switch_webhook(webhook_id=endpoint.pk, on=True, actor=None, at=later)
    listener = Listener()
    assert send_all(listener, later) == []
    assert listener.messages == []
    late = WebhookDelivery.objects.get()
    assert (late.state, late.attempts, late.error) == ("failed", 0, TOO_LATE)

    resend_webhook(delivery_id=WebhookDelivery.objects.get().pk, actor=None, at=later)
    assert send_all(listener, later) == [Sent.DELIVERED]


def test_an_invoice_is_overdue_once_and_services_are_suspended_once(atlas: Organization) -> None:
    make_webhook("invoice.overdue", "organization.suspend")
    row = make_invoice(organization=atlas, status="pending", fees_cents=10_00)  # issued on 1 November, due in 30 days
    second = make_invoice(organization=atlas, status="pending", month=date(2026, 11, 1), fees_cents=10_00)
    assert row.due_date == date(2026, 12, 1)
    assert [announce_overdue(at=local(f"2026-12-{day:02} 08:00")) for day in (1, 2, 2, 3, 31)] == [0, 2, 0, 0, 0]
    assert types() == ["invoice.overdue", "organization.suspend"]
    suspension = told(local("2026-12-31 08:00"))[1][1]
    assert (suspension["organization"], suspension["invoice"]["number"]) == ("orga_atlas", row.number)

    assert announce_overdue(at=local("2027-01-05 08:00")) == 1  # the second invoice; they are suspended already
    assert Event.objects.filter(kind="invoice.overdue", invoice=second).count() == 1
    for each in (row, second):
        pay(each)
    third = make_invoice(organization=atlas, status="pending", month=date(2026, 12, 1), fees_cents=10_00)
    assert announce_overdue(at=local("2027-02-10 08:00")) == 2
    assert Event.objects.filter(kind="organization.suspend", invoice=third).count() == 1


def test_what_the_bank_takes_back_is_overdue_again(atlas: Organization) -> None:
    make_webhook("invoice.overdue", "organization.suspend")
    row = make_invoice(organization=atlas, status="pending", fees_cents=10_00)
    assert announce_overdue(at=local("2026-12-02 08:00")) == 2

    part = receive(atlas, 1_00, for_invoice=row)
    charge_back(part)
    assert announce_overdue(at=local("2026-12-03 08:00")) == 0  # it was owed all the time

    rest = receive(atlas, row.total_cents, for_invoice=row)
    assert announce_overdue(at=local("2026-12-04 08:00")) == 0
    charge_back(rest)
    assert [announce_overdue(at=local(f"2026-12-{day:02} 08:00")) for day in (5, 6)] == [2, 0]
    assert types().count("organization.suspend") == types().count("invoice.overdue") == 2


def test_old_invoices_are_overdue_again_when_the_bank_takes_money_back_or_a_hold_ends(atlas: Organization) -> None:
    make_webhook("invoice.overdue", "organization.suspend")
    row = make_invoice(organization=atlas, status="pending", fees_cents=10_00)
    other = make_invoice(organization=make_organization(), status="pending", fees_cents=10_00)
    rest = receive(atlas, row.total_cents, for_invoice=row)
    hold_payment(invoice_id=other.pk, reason="A dispute", actor=None, at=NOW)
    assert announce_overdue(at=local("2027-06-01 08:00")) == 0

    charge_back(rest, at=local("2027-06-02 08:00"))
    resume_payment(invoice_id=other.pk, reason="It was right", actor=None, at=local("2027-06-02 08:00"))
    assert [announce_overdue(at=local(f"2027-06-{day:02} 08:00")) for day in (3, 4)] == [4, 0]


def test_what_was_overdue_long_before_anything_was_said_is_old_news(atlas: Organization) -> None:
    make_webhook("invoice.overdue")
    make_invoice(organization=atlas, status="pending", fees_cents=10_00)
    assert announce_overdue(at=local("2027-06-01 08:00")) == 0


def test_nobody_is_suspended_before_an_invoice_is_due(atlas: Organization) -> None:
    Organization.objects.update(payment_term_days=60)
    make_webhook("organization.suspend")
    atlas.refresh_from_db()
    row = make_invoice(organization=atlas, status="pending", fees_cents=10_00)
    assert row.due_date is not None
    announce_overdue(at=local(f"{row.due_date} 08:00"))
    assert types() == []


def test_what_is_on_hold_or_paid_is_not_overdue(atlas: Organization) -> None:
    make_webhook("invoice.overdue")
    for status in ("paid", "payment_held", "processing", "wont_pay", "canceled"):
        make_invoice(organization=make_organization(), status=status, fees_cents=10_00)
    assert announce_overdue(at=local("2026-12-20")) == 0


# --- Sending ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def endpoint() -> WebhookEndpoint:
    row, _ = make_webhook()
    ping_webhook(webhook_id=row.pk, actor=None, at=NOW)
    return row


def test_endpoints_take_turns_however_long_the_backlog_of_one_is() -> None:
    busy, _ = make_webhook()
    for _number in range(3):
        ping_webhook(webhook_id=busy.pk, actor=None, at=NOW)
    other, _ = make_webhook(url="https://other.example.com/hook")
    ping_webhook(webhook_id=other.pk, actor=None, at=NOW + timedelta(seconds=1))
    listener = Listener()
    send_all(listener, NOW + timedelta(seconds=2))
    assert [url for url, _, _ in listener.got] == [busy.url, other.url, busy.url, busy.url]


def test_an_endpoint_that_takes_its_time_waits_until_others_are_served() -> None:
    slow, _ = make_webhook()
    for _number in range(2):
        ping_webhook(webhook_id=slow.pk, actor=None, at=NOW)
    other, _ = make_webhook(url="https://other.example.com/hook")
    ping_webhook(webhook_id=other.pk, actor=None, at=NOW + timedelta(seconds=1))
    WebhookDelivery.objects.filter(pk=WebhookDelivery.objects.filter(endpoint=slow).earliest("id").pk).update(
        state=WebhookDelivery.State.SENDING, not_before=NOW + LEASE
    )
    WebhookEndpoint.objects.filter(pk=other.pk).update(last_claimed_at=NOW)
    listener = Listener()
    send_webhook(post=listener, at=NOW + timedelta(seconds=2))
    assert [url for url, _, _ in listener.got] == [other.url]


def test_a_message_is_signed_and_keeps_its_id() -> None:
    row, secret = make_webhook()
    ping_webhook(webhook_id=row.pk, actor=None, at=NOW)
    listener = Listener(500)
    assert send_all(listener, NOW) == [Sent.POSTPONED]
    assert send_all(listener, NOW + timedelta(seconds=9)) == []
    assert send_all(listener, NOW + timedelta(seconds=10)) == [Sent.DELIVERED]
    (url, body, first), (_, again, second) = listener.got
    assert (url, body) == (row.url, again)
    assert first["webhook-id"] == second["webhook-id"] == listener.messages[0]["id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 10
    assert first["webhook-signature"] == sign(first["webhook-id"], int(NOW.timestamp()), body, [secret])
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status, delivery.attempts, delivery.error) == ("delivered", 200, 2, "")


@pytest.mark.parametrize("answer", [100, 199, 301, 302, 400, 404, 429, 500, 503, "No connection"])
def test_anything_but_2xx_is_tried_again(answer: int | str, endpoint: WebhookEndpoint) -> None:
    assert send_all(Listener(answer), NOW) == [Sent.POSTPONED]
    delivery = WebhookDelivery.objects.get()
    assert delivery.error == (answer if isinstance(answer, str) else f"HTTP {answer}")
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since) == (1, NOW)


def test_after_three_days_it_is_given_up_and_can_be_sent_again(endpoint: WebhookEndpoint) -> None:
    listener, at = Listener(*[503] * 100), NOW
    while Sent.FAILED not in send_all(listener, at):
        at += timedelta(minutes=5)
    assert timedelta(days=2) < at - NOW <= timedelta(days=3, minutes=5)
    assert WebhookDelivery.objects.get().state == "failed"

    listener.answers.clear()
    at += timedelta(days=10)
    assert resend_failed_webhooks(webhook_id=endpoint.pk, actor=None, at=at) == 1
    assert send_all(listener, at) == [Sent.DELIVERED]
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since, endpoint.not_before) == (0, None, None)
    assert len({each["id"] for each in listener.messages}) == 1


def test_an_endpoint_that_is_gone_is_switched_off(endpoint: WebhookEndpoint) -> None:
    assert send_all(Listener(410), NOW) == [Sent.FAILED]
    endpoint.refresh_from_db()
    assert endpoint.disabled_at == NOW
    with pytest.raises(UnableToResend):
        resend_webhook(delivery_id=WebhookDelivery.objects.get().pk, actor=None, at=NOW)
    switch_webhook(webhook_id=endpoint.pk, on=True, actor=None, at=NOW)
    resend_webhook(delivery_id=WebhookDelivery.objects.get().pk, actor=None, at=NOW)
    assert send_all(Listener(), NOW) == [Sent.DELIVERED]


def test_one_that_fails_does_not_hold_up_the_others(endpoint: WebhookEndpoint) -> None:
    for _ in range(20):
        ping_webhook(webhook_id=endpoint.pk, actor=None, at=NOW)
    other, _ = make_webhook(name="other", url="https://other.example.org/")
    ping_webhook(webhook_id=other.pk, actor=None, at=NOW)
    listener = Listener(*["No connection"] * 3)
    send_all(listener, NOW)
    assert [url for url, *_ in listener.got].count(endpoint.url) == 2  # then it rests
    assert WebhookDelivery.objects.get(endpoint=other).state in {"delivered", "waiting"}
    send_all(listener, NOW + timedelta(hours=1))
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_worker_that_died_leaves_nothing_behind(endpoint: WebhookEndpoint) -> None:
    def die(*_: Any) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_webhook(post=die, at=NOW)
    assert WebhookDelivery.objects.get().state == "sending"
    assert send_all(Listener(), NOW + LEASE / 2) == []
    assert send_all(Listener(), NOW + LEASE) == [Sent.DELIVERED]


def test_a_rotated_secret_signs_for_a_day(endpoint: WebhookEndpoint) -> None:
    ping_webhook(webhook_id=endpoint.pk, actor=None, at=NOW)
    secret = rotate_webhook_secret(webhook_id=endpoint.pk, actor=None, at=NOW)
    listener = Listener()
    send_webhook(post=listener, at=NOW)
    send_webhook(post=listener, at=NOW + timedelta(days=1))
    (_, body, headers), (_, later_body, later) = listener.got
    assert len(headers["webhook-signature"].split(" ")) == 2
    expected = sign(headers["webhook-id"], int(headers["webhook-timestamp"]), body, [secret])
    assert expected in headers["webhook-signature"].split(" ")
    assert later["webhook-signature"] == sign(
        later["webhook-id"], int(later["webhook-timestamp"]), later_body, [secret]
    )


def test_a_secret_of_another_key_is_said_to_be_lost(endpoint: WebhookEndpoint, settings: Any) -> None:
    settings.SECRET_KEY = "another one, of which nobody kept the first"
    listener = Listener()
    assert send_all(listener, NOW) == [Sent.POSTPONED]
    assert listener.got == []
    assert "rotate" in WebhookDelivery.objects.get().error

    secret = rotate_webhook_secret(webhook_id=endpoint.pk, actor=None, at=NOW)
    WebhookEndpoint.objects.update(not_before=None)
    assert send_all(listener, NOW + timedelta(hours=1)) == [Sent.DELIVERED]
    _, body, headers = listener.got[0]
    assert headers["webhook-signature"] == sign(
        headers["webhook-id"], int(headers["webhook-timestamp"]), body, [secret]
    )


def test_a_secret_rotated_twice_leaves_the_receiver_its_own(endpoint: WebhookEndpoint) -> None:
    first = endpoint.secret
    for minutes in (0, 5):
        rotate_webhook_secret(webhook_id=endpoint.pk, actor=None, at=NOW + timedelta(minutes=minutes))
    endpoint.refresh_from_db()
    assert (endpoint.old_secret, endpoint.old_secret_until) == (first, NOW + timedelta(days=1))
    newest = endpoint.secret
    rotate_webhook_secret(webhook_id=endpoint.pk, actor=None, at=NOW + timedelta(days=1))
    endpoint.refresh_from_db()
    assert endpoint.old_secret == newest


def test_what_the_other_side_says_may_hold_anything(endpoint: WebhookEndpoint) -> None:
    def refuse(*_: Any) -> int:
        raise NotDelivered("none that is HTTP: HTTP/9\0")

    assert send_webhook(post=refuse, at=NOW) is Sent.POSTPONED
    assert WebhookDelivery.objects.get().error == "none that is HTTP: HTTP/9"


# --- Making one -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.org", "ftp://example.org/", "http://example.org/", "https://", "https://exa mple.org/"),
        *("https://user:secret@example.org/", "https://example.org/#part", "https://example.org:0/", "https://é.org/"),
        *("https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://db.internal/"),
        *("https://169.254.169.254/latest/", "https://[::ffff:10.0.0.1]/", "https://example.org:99999/"),
        "https://example.org/" + "x" * 1_000,
    ],
)
def test_an_address_that_no_message_may_go_to(url: str) -> None:
    with pytest.raises(WebhookRefused):
        make_webhook(url=url)
    assert WebhookEndpoint.objects.count() == 0


def test_a_setting_allows_private_addresses(settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    for url in ("http://127.0.0.1:8001/", "https://db.internal/hook"):
        make_webhook(url=url)


@pytest.mark.parametrize("events", [[], ["invoice.eaten"], ["ping"], ["invoice.paid", "nothing"]])
def test_events_that_there_are_not(events: list[str]) -> None:
    with pytest.raises(WebhookRefused):
        create_webhook(name="A", url="https://example.org/", events=events, actor=None, at=NOW)


def test_there_are_not_endless_webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creating, "MOST_ENDPOINTS", 1)
    make_webhook()
    with pytest.raises(WebhookRefused, match="already"):
        make_webhook()


def test_who_may_make_change_and_send_again(endpoint: WebhookEndpoint) -> None:
    may_make, may_resend = set(), set()
    for role in ("Viewer", "Accountant", "Billing manager", "Controller", "Auditor"):
        person = make_staff(role)
        try:
            create_webhook(name="A", url="https://example.org/", events=EVENT_TYPES, actor=person, at=NOW)
            switch_webhook(webhook_id=endpoint.pk, on=True, actor=person, at=NOW)
            rotate_webhook_secret(webhook_id=endpoint.pk, actor=person, at=NOW)
            may_make.add(role)
        except NotAllowed:
            pass
        try:
            resend_webhook(delivery_id=WebhookDelivery.objects.get().pk, actor=person, at=NOW)
            may_resend.add(role)
        except NotAllowed:
            pass
    assert may_make == {"Billing manager", "Controller"}
    assert may_resend == {"Accountant", "Billing manager", "Controller"}


def test_a_secret_is_not_stored_as_it_is() -> None:
    row, secret = make_webhook()
    assert secret.startswith("whsec_")
    assert secret.removeprefix("whsec_") not in row.secret


# --- Forgetting -------------------------------------------------------------------------------------------------------


def test_messages_are_kept_for_90_days(atlas: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forget_webhook_messages, "BATCH_SIZE", 2)
    endpoint, _ = make_webhook("invoice.overdue")
    for day in (1, 1, 1, 2, 3):
        announce_ping(endpoint, at=local(f"2026-11-{day:02} 08:00"))
    forget = forget_webhook_messages.forget_webhook_messages
    assert forget(at=local("2027-01-30 08:00")) == 0  # 90 days to the minute
    assert forget(at=local("2027-01-31 08:00")) == 3
    assert forget(at=local("2027-01-31 08:00")) == 0
    assert [row.created_at for row in WebhookDelivery.objects.order_by("id")] == [
        local(f"2026-11-{day:02} 08:00") for day in (2, 3)
    ]
