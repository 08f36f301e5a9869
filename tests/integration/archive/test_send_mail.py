"""Issued documents reach their recipients: each once, and never twice by itself."""

import smtplib
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.mail import EmailMessage
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.models import Event, Invoice, LegalEntity, OutgoingMail
from billing.queries.archive import documents_storage, open_file
from billing.queries.mail_words import compose
from billing.queries.mails import count_mails_to_decide
from billing.queries.recipients import recipients_of
from billing.usecases._outbox import FILES_TOO_LATE
from billing.usecases._permissions import NotAllowed
from billing.usecases.decide_mail import UnableToDecide, decide_mail
from billing.usecases.deliver_mail import Refused, TryLater, Unclear, Unreachable, deliver_mail
from billing.usecases.resend_mail import UnableToSend, resend_mail
from billing.usecases.send_mail import LEASE, NO_RECIPIENT, Outcome, send_mail
from organizations.models import BillingProfile, User
from tests.builders.archive import store
from tests.builders.closing import broken_promises, local, pay
from tests.builders.desk import make_staff
from tests.builders.invoices import make_credit_note, make_invoice, make_line
from tests.builders.mails import issue_and_store, make_customer, make_mail, make_member
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

AT = local("2026-11-02")
State = OutgoingMail.State


def send_all(at: datetime = AT, send: Any = deliver_mail) -> list[Outcome]:
    outcomes = []
    while outcome := send_mail(send=send, at=at):
        outcomes.append(outcome)
    return outcomes


def raising(error: BaseException) -> Any:
    def send(message: EmailMessage) -> None:
        raise error

    return send


# --- Who gets it ------------------------------------------------------------------------------------------------------


def test_admins_accountants_and_the_billing_address_get_it_once_each() -> None:
    organization = make_customer(email="Alice@Example.com")
    make_member(organization, "alice@example.com", "admin")
    make_member(organization, "bob@example.com", "accountant")
    make_member(organization, "dave@example.com", "developer")
    make_member(organization, "gone@example.com", "admin", is_active=False)
    make_member(make_organization(), "charlie@example.com", "admin")

    invoice = issue_and_store(organization)

    assert sorted(mail.recipient for mail in invoice.mails.all()) == ["Alice@Example.com", "bob@example.com"]
    assert send_all() == [Outcome.SENT, Outcome.SENT]
    assert sorted(message.to[0] for message in outbox.outbox) == ["Alice@Example.com", "bob@example.com"]
    assert send_all(AT + timedelta(days=3)) == []
    assert broken_promises() == []


def test_nobody_is_mailed_before_the_files_are_stored() -> None:
    make_invoice(organization=make_customer(), status="pending", fees_cents=1_000)

    assert not OutgoingMail.objects.exists()


def test_a_document_that_nobody_gets_says_so() -> None:
    invoice = issue_and_store(make_organization())

    assert not OutgoingMail.objects.exists()
    assert Event.objects.get(invoice=invoice).kind == "mail.nobody"


def test_what_was_issued_long_ago_waits_for_somebody_to_send_it() -> None:
    make_invoice(organization=make_customer(), status="pending", fees_cents=1_000)
    invoice = Invoice.objects.get()

    late = local("2026-11-20")
    store(invoice, at=late)

    mail = OutgoingMail.objects.get()
    assert (mail.state, mail.error) == ("failed", FILES_TOO_LATE)
    assert send_all(late) == []
    assert count_mails_to_decide() == {State.FAILED: 1}

    decide_mail(mail_id=mail.pk, try_again=True, actor=make_staff("Accountant"), at=late)

    assert send_all(late) == [Outcome.SENT]


def test_the_same_e_mail_cannot_be_queued_twice() -> None:
    mail = make_mail()
    mail.pk, mail.message_id, mail.recipient = None, "<other@example.com>", mail.recipient.upper()
    with pytest.raises(IntegrityError), transaction.atomic():
        mail.save()


def test_who_is_removed_or_switched_off_meanwhile_gets_nothing() -> None:
    organization = make_customer()
    removed = make_member(organization, "alice@example.com", "admin")
    switched_off = make_member(organization, "bob@example.com", "accountant")
    invoice = issue_and_store(organization)

    removed.memberships.get().delete()
    User.objects.filter(pk=switched_off.pk).update(is_active=False)

    assert sorted(each.value for each in send_all()) == ["given_up", "given_up", "sent"]
    assert [message.to for message in outbox.outbox] == [["billing@example.org"]]
    given_up = invoice.mails.filter(recipient__in=[removed.email, switched_off.email])
    assert set(given_up.values_list("state", "error")) == {("given_up", NO_RECIPIENT)}
    assert Event.objects.filter(kind="mail.given_up", reason=NO_RECIPIENT).count() == 2


def test_who_was_removed_gets_what_a_person_sends_all_the_same() -> None:
    organization, fiona = make_customer(), make_staff("Accountant")
    member = make_member(organization, "alice@example.com", "admin")
    invoice = issue_and_store(organization)
    member.memberships.get().delete()

    resend_mail(invoice_id=invoice.pk, recipient="Alice@example.com", actor=fiona, at=AT)

    assert send_all() == [Outcome.SENT, Outcome.SENT]
    assert OutgoingMail.objects.count() == 2


def test_recipients_of_many_take_two_queries() -> None:
    ids = [make_customer().pk for _ in range(5)]
    with CaptureQueriesContext(connection) as captured:
        assert len(recipients_of(ids)) == 5
    assert len(captured) == 2


# --- What it says -----------------------------------------------------------------------------------------------------


def test_an_invoice_says_what_to_pay_and_how_and_carries_the_pdf() -> None:
    LegalEntity.objects.update(
        name="Nimbus SAS", iban="FR7630006000011234567890189", bic="AGRIFRPP", email="billing@nimbus.example"
    )
    mail = make_mail()
    invoice = mail.invoice

    send_all()

    (message,) = outbox.outbox
    assert isinstance(message, outbox.EmailMultiAlternatives)
    assert message.subject == f"Invoice {invoice.number}, October 2026, Nimbus SAS"
    assert message.from_email == "invoices@example.com"
    assert message.reply_to == ["billing@nimbus.example"]
    assert message.extra_headers["Message-ID"] == mail.message_id
    # 10.00 + 20 % VAT, due 30 days after 1 November
    html = str(message.alternatives[0][0])
    for text in (str(message.body), html):
        for part in (
            "12.00\N{NO-BREAK SPACE}EUR",
            "1 December 2026",
            "FR76\N{NO-BREAK SPACE}3000",
            "AGRIFRPP",
            "https://billing.example.org/",
            str(invoice.number),
        ):
            assert part in text, part
    (attachment,) = message.attachments
    with open_file(invoice.archived, "pdf") as file:
        assert attachment == (f"{invoice.number}.pdf", file.read(), "application/pdf")
    mail.refresh_from_db()
    assert (mail.state, mail.sent_at, mail.attempts, mail.error) == ("sent", AT, 1, "")
    event = Event.objects.get()
    assert (event.kind, event.invoice, event.values) == ("mail.sent", invoice, {"recipient": "billing@example.org"})


def test_it_is_written_in_the_language_of_the_billing_profile() -> None:
    mail = make_mail(organization=make_customer(language="fr"))

    text = compose(OutgoingMail.objects.select_related("invoice__refers_to").get(pk=mail.pk))

    assert mail.language == "fr"
    assert "octobre 2026" in text.subject
    assert '<html lang="fr">' in text.html


def both_forms(mail: OutgoingMail) -> list[str]:
    text = compose(mail)
    return [text.text, text.html]


@pytest.mark.parametrize(
    ("used_prepaid_cents", "sentence"),
    [(-1_000, "There is nothing to pay: credits covered all of it."), (0, "this invoice is settled.")],
)
def test_only_credits_that_were_used_covered_it(used_prepaid_cents: int, sentence: str) -> None:
    mail = make_mail()
    mail.invoice.total_cents = 0
    mail.invoice.statement.used_prepaid_cents = used_prepaid_cents

    for words in both_forms(mail):
        assert sentence in words
        assert "IBAN" not in words


def test_what_is_partly_paid_and_credited_asks_for_the_rest() -> None:
    mail = make_mail()
    mail.invoice.paid_cents, mail.invoice.credited_cents = 500, 200  # of 12.00

    for words in both_forms(mail):
        assert "Left to pay: 5.00\N{NO-BREAK SPACE}EUR of 12.00\N{NO-BREAK SPACE}EUR" in words
        assert "Amount to pay" not in words


@pytest.mark.parametrize(
    ("payment_state", "sentence"),
    [
        ("paid", "There is nothing left to pay."),
        ("canceled", "There is nothing left to pay."),
        ("wont_pay", "There is nothing left to pay."),
        ("processing", "Your payment is on its way"),
        ("payment_held", "The payment is on hold"),
    ],
)
def test_what_waits_for_no_money_asks_for_none(payment_state: str, sentence: str) -> None:
    mail = make_mail()
    mail.invoice.payment_state = payment_state

    for words in both_forms(mail):
        assert sentence in words
        assert "to pay:" not in words
        assert "Due on" not in words


def test_what_is_settled_while_the_server_is_down_is_not_asked_for() -> None:
    mail = make_mail()
    send_mail(send=raising(Unreachable("Connection refused")), at=AT)
    pay(mail.invoice)

    assert send_all(AT + timedelta(minutes=1)) == [Outcome.SENT]

    assert "There is nothing left to pay." in str(outbox.outbox[0].body)


def test_a_credit_note_names_its_invoice() -> None:
    organization = make_customer()
    invoice = make_invoice(organization=organization, status="pending", direct=[make_line()])
    note = make_credit_note(refers_to=invoice, net_cents=1_000)
    store(note)

    mail = OutgoingMail.objects.get(invoice=note)
    text = compose(mail)

    assert mail.kind == "credit_note"
    assert f"Credit note {note.number} for invoice {invoice.number}" in text.subject
    assert "Amount credited: 12.00" in text.text
    assert "IBAN" not in text.text


def test_markup_and_line_breaks_in_names_are_text() -> None:
    organization = make_customer()
    BillingProfile.objects.filter(organization=organization).update(company="<b>Atlas</b> & Co")
    LegalEntity.objects.update(name="Nimbus\nBcc: charlie@example.com")
    mail = make_mail(organization=organization)
    mail.invoice.seller = {"name": "Nimbus\nBcc: charlie@example.com"}
    mail.invoice.buyer = {"company": "<b>Atlas</b> & Co"}

    text = compose(mail)

    assert "\n" not in text.subject
    assert "<b>" not in text.html
    assert "&lt;b&gt;Atlas&lt;/b&gt; &amp; Co" in text.html
    assert "<b>Atlas</b> & Co" in text.text


# --- What may go wrong ------------------------------------------------------------------------------------------------


def test_a_server_that_is_down_is_said_and_heals() -> None:
    mail = make_mail()

    assert send_mail(send=raising(Unreachable("Connection refused")), at=AT) is Outcome.UNREACHABLE

    mail.refresh_from_db()
    assert (mail.state, mail.error, mail.not_before) == ("waiting", "Connection refused", AT + timedelta(minutes=1))
    assert send_all(AT + timedelta(seconds=59)) == []
    assert send_all(AT + timedelta(minutes=1)) == [Outcome.SENT]
    mail.refresh_from_db()
    assert (mail.state, mail.error, mail.attempts) == ("sent", "", 2)


def test_what_cannot_be_sent_for_a_week_is_left_to_people() -> None:
    mail, at = make_mail(), AT
    for _ in range(3):
        send_mail(send=raising(TryLater("451 Try again later")), at=at)
        at += timedelta(days=3)

    assert send_all(at) == []

    mail.refresh_from_db()
    assert (mail.state, mail.error, mail.attempts) == ("failed", "451 Try again later", 3)
    assert outbox.outbox == []


def test_a_refused_address_is_not_tried_again() -> None:
    mail = make_mail()

    assert send_all(send=raising(Refused("550 No such user"))) == [Outcome.FAILED]

    mail.refresh_from_db()
    assert (mail.state, mail.error) == ("failed", "550 No such user")
    assert Event.objects.get().reason == "550 No such user"
    assert send_all(AT + timedelta(days=1)) == []


def test_a_broken_connection_is_left_to_people() -> None:
    mail = make_mail()

    assert send_all(send=raising(Unclear("Connection unexpectedly closed"))) == [Outcome.UNCLEAR]

    mail.refresh_from_db()
    assert mail.state == "unclear"
    assert send_all(AT + timedelta(days=1)) == []


def test_a_worker_that_dies_while_sending_never_leads_to_a_second_e_mail() -> None:
    """The server took it, and the worker was killed before it could write that down."""
    mail, taken = make_mail(), []

    def taken_and_killed(message: EmailMessage) -> None:
        taken.append(message)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_mail(send=taken_and_killed, at=AT)
    assert send_all(AT + LEASE - timedelta(seconds=1)) == []
    mail.refresh_from_db()
    assert mail.state == "sending"

    assert send_all(AT + LEASE) == []

    mail.refresh_from_db()
    assert (mail.state, len(taken), outbox.outbox) == ("unclear", 1, [])
    assert "may have taken it or not" in mail.error


def test_a_slow_worker_knows_better_than_unclear() -> None:
    mail = make_mail()

    def slow(message: EmailMessage) -> None:
        assert send_all(AT + LEASE) == []

    send_mail(send=slow, at=AT)

    mail.refresh_from_db()
    assert mail.state == "sent"


def test_a_file_that_cannot_be_read_now_is_sent_later() -> None:
    mail = make_mail()
    name = mail.invoice.archived.pdf_name
    with documents_storage().open(name) as file:
        content = file.read()
    documents_storage().delete(name)

    assert send_mail(send=deliver_mail, at=AT) is Outcome.POSTPONED
    mail.refresh_from_db()
    assert (mail.state, mail.error != "") == ("waiting", True)

    with documents_storage().open(name, "wb") as file:
        file.write(content)
    assert send_all(AT + timedelta(minutes=1)) == [Outcome.SENT]


def test_a_storage_that_is_down_is_no_reason_to_ask_people(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = make_mail()

    def down(*_: Any) -> Any:
        raise RuntimeError("Could not connect to the endpoint URL")

    monkeypatch.setattr(type(documents_storage()), "open", down)
    assert send_mail(send=deliver_mail, at=AT) is Outcome.POSTPONED

    mail.refresh_from_db()
    assert (mail.state, mail.error) == ("waiting", "RuntimeError: Could not connect to the endpoint URL")


class Server:
    """A mail server that answers as a test wants."""

    def __init__(self, on_open: Exception | None = None, on_send: Exception | None = None) -> None:
        self.on_open, self.on_send, self.taken = on_open, on_send, 0

    def open(self) -> None:
        if self.on_open:
            raise self.on_open

    def send_messages(self, messages: list[EmailMessage]) -> None:
        if self.on_send:
            raise self.on_send
        self.taken += len(messages)

    def close(self) -> None:
        raise smtplib.SMTPServerDisconnected("gone")


@pytest.mark.parametrize(
    ("server", "error", "sentence"),
    [
        (Server(on_open=ConnectionRefusedError(111, "Connection refused")), Unreachable, "refused"),
        (Server(on_open=TimeoutError()), Unreachable, "TimeoutError"),
        (Server(on_open=smtplib.SMTPAuthenticationError(535, b"Bad password")), Unreachable, "535 Bad password"),
        (Server(on_send=smtplib.SMTPRecipientsRefused({"x": (550, b"No such user")})), Refused, "550 No such user"),
        (Server(on_send=smtplib.SMTPRecipientsRefused({"x": (451, b"Greylisted")})), TryLater, "451 Greylisted"),
        (Server(on_send=smtplib.SMTPSenderRefused(550, b"Not yours", "a@b.c")), TryLater, "550 Not yours"),
        (Server(on_send=smtplib.SMTPDataError(552, b"Too large")), Refused, "552 Too large"),
        (Server(on_send=ValueError("Header values can't contain newlines")), Refused, "newlines"),
        (Server(on_send=smtplib.SMTPServerDisconnected("closed")), Unclear, "closed"),
        (Server(on_send=TimeoutError("timed out")), Unclear, "timed out"),
    ],
)
def test_what_a_server_says_decides(
    server: Server, error: type[Exception], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.core.mail.MailersHandler.default", server)

    with pytest.raises(error, match=sentence) as caught:
        deliver_mail(EmailMessage("subject", "body", to=["x@example.com"]))

    assert caught.type is error
    assert server.taken == 0


def test_what_happens_after_the_server_took_it_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    monkeypatch.setattr("django.core.mail.MailersHandler.default", server)

    deliver_mail(EmailMessage("subject", "body", to=["x@example.com"]))

    assert server.taken == 1


def test_without_a_mail_server_nothing_pretends(settings: Any) -> None:
    settings.MAILERS = {"default": {"BACKEND": "config.no_mail_server.EmailBackend"}}
    mail = make_mail()

    assert send_mail(send=deliver_mail, at=AT) is Outcome.UNREACHABLE

    mail.refresh_from_db()
    assert (mail.state, mail.error) == ("waiting", "No mail server is set: EMAIL_URL.")


# --- What people decide -----------------------------------------------------------------------------------------------


def test_fiona_sends_it_again_also_to_another_address() -> None:
    mail, fiona = make_mail(), make_staff("Accountant")
    send_all()

    later = AT + timedelta(minutes=1)
    again = resend_mail(invoice_id=mail.invoice.pk, recipient="Billing@example.org", actor=fiona, at=later)
    other = resend_mail(invoice_id=mail.invoice.pk, recipient="bob@example.com", actor=fiona, at=later)

    assert (again.number, other.number) == (2, 1)
    assert again.message_id != mail.message_id
    assert send_all(later) == [Outcome.SENT, Outcome.SENT]
    assert len(outbox.outbox) == 3
    assert list(Event.objects.filter(kind="mail.queued").values_list("actor__email", flat=True)) == [fiona.email] * 2


def test_sending_what_waits_for_a_server_does_not_make_a_second_e_mail() -> None:
    mail, fiona = make_mail(), make_staff("Accountant")
    for _ in range(9):
        send_mail(send=raising(Unreachable("Connection refused")), at=OutgoingMail.objects.get().not_before)
    later = AT + timedelta(hours=1)

    for _ in range(2):
        again = resend_mail(invoice_id=mail.invoice.pk, recipient="BILLING@example.org", actor=fiona, at=later)
        assert (again.pk, again.message_id) == (mail.pk, mail.message_id)

    assert send_all(later) == [Outcome.SENT]
    assert len(outbox.outbox) == 1


@pytest.mark.parametrize("error", [Refused("550 No such user"), Unclear("closed")])
def test_sending_what_was_not_taken_keeps_its_message_id(error: Exception) -> None:
    mail, fiona = make_mail(), make_staff("Accountant")
    send_mail(send=raising(error), at=AT)

    resend_mail(invoice_id=mail.invoice.pk, recipient=mail.recipient, actor=fiona, at=AT + timedelta(days=30))

    assert send_all(AT + timedelta(days=30)) == [Outcome.SENT]
    assert outbox.outbox[0].extra_headers["Message-ID"] == mail.message_id
    assert OutgoingMail.objects.get().number == 1


def test_what_is_being_sent_or_was_sent_just_now_is_not_sent_again() -> None:
    mail, fiona = make_mail(), make_staff("Accountant")

    def again(at: datetime) -> None:
        resend_mail(invoice_id=mail.invoice.pk, recipient=mail.recipient, actor=fiona, at=at)

    def asked_meanwhile(message: EmailMessage) -> None:
        with pytest.raises(UnableToSend, match="right now"):
            again(AT)

    send_mail(send=asked_meanwhile, at=AT)
    with pytest.raises(UnableToSend, match="less than a minute ago"):
        again(AT + timedelta(seconds=59))

    assert OutgoingMail.objects.count() == 1
    assert not Event.objects.filter(kind="mail.queued").exists()


def test_what_has_no_files_or_no_address_is_not_sent() -> None:
    invoice = make_invoice(status="pending", fees_cents=1_000)
    with pytest.raises(UnableToSend, match="not stored yet"):
        resend_mail(invoice_id=invoice.pk, recipient="bob@example.com", actor=None, at=AT)
    with pytest.raises(UnableToSend, match="bob is no e-mail address"):
        resend_mail(invoice_id=invoice.pk, recipient="bob", actor=None, at=AT)
    with pytest.raises(NotAllowed):
        resend_mail(invoice_id=invoice.pk, recipient="bob@example.com", actor=make_staff("Viewer"), at=AT)
    assert not OutgoingMail.objects.exists()


def test_fiona_has_what_is_unclear_sent_again_under_the_same_message_id() -> None:
    mail, fiona = make_mail(), make_staff("Accountant")
    send_mail(send=raising(Unclear("closed")), at=AT)

    decide_mail(mail_id=mail.pk, try_again=True, actor=fiona, at=AT)

    assert send_all() == [Outcome.SENT]
    assert outbox.outbox[0].extra_headers["Message-ID"] == mail.message_id
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == [
        "mail.unclear",
        "mail.retried",
        "mail.sent",
    ]


def test_fiona_gives_up_what_is_not_sent() -> None:
    mail, fiona = make_mail(), make_staff("Accountant")
    with pytest.raises(NotAllowed):
        decide_mail(mail_id=mail.pk, try_again=False, actor=make_staff("Viewer"), at=AT)

    decide_mail(mail_id=mail.pk, try_again=False, reason="They got it by post.", actor=fiona, at=AT)

    assert send_all() == []
    assert Event.objects.get().reason == "They got it by post."
    with pytest.raises(UnableToDecide):
        decide_mail(mail_id=mail.pk, try_again=False, actor=fiona, at=AT)


def test_what_is_sent_is_not_tried_again() -> None:
    mail = make_mail()
    send_all()

    with pytest.raises(UnableToDecide):
        decide_mail(mail_id=mail.pk, try_again=True, actor=None, at=AT)

    assert send_all() == []


def test_sending_takes_the_same_queries_however_many_wait() -> None:
    numbers = []
    for _ in range(2):
        for _ in range(3):
            make_mail()
        with CaptureQueriesContext(connection) as captured:
            assert send_mail(send=deliver_mail, at=AT) is Outcome.SENT
        numbers.append(len(captured))
    assert numbers[0] == numbers[1]
