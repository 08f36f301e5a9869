"""Files and e-mails at the desk: what is there, what failed and why, and what people do about it."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.domain.documents import Document, Rendered
from billing.models import ArchivedDocument, Event, Invoice, OutgoingMail
from billing.queries.archive import documents_storage
from billing.usecases.deliver_mail import Unclear, deliver_mail
from billing.usecases.send_mail import TOO_LATE, send_mail
from billing.usecases.work_on_documents import work_on_documents
from organizations.models import BillingProfile, Organization, User
from tests.builders.closing import local
from tests.builders.desk import desk
from tests.builders.invoices import make_close, make_invoice
from tests.builders.mails import issue_and_store, make_customer, make_mail, make_member
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

AT = local("2026-11-02")


def page_of(row: Any, client: Client | None = None) -> str:
    url = reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])
    response = (client or desk()).get(url)
    assert response.status_code == 200
    return response.content.decode()


def do(row: Any, action: str, *, role: str = "Billing manager", **data: str) -> Any:
    url = reverse(f"admin:billing_{row._meta.model_name}_do", args=[row.pk, action])
    return desk(role).post(url, data or {"confirmed": "1"}, headers={"HX-Request": "true"})


def file_url(invoice: Invoice, kind: str = "pdf") -> str:
    return reverse("admin:billing_invoice_file", args=[invoice.pk, kind])


def list_of(model: str, **filters: str) -> str:
    response = desk().get(reverse(f"admin:billing_{model}_changelist"), filters)
    assert response.status_code == 200
    return response.content.decode()


def make_failed(attempts: int = 1) -> Invoice:
    def fails(document: Document) -> Rendered:
        raise ValueError("no glyph")

    invoice = make_invoice(organization=make_customer(), status="pending", fees_cents=1_000)
    for _ in range(attempts):
        work_on_documents(render=fails, at=ArchivedDocument.objects.get(invoice=invoice).not_before)
    return invoice


# --- Files ------------------------------------------------------------------------------------------------------------


def test_an_issued_invoice_is_downloaded_under_its_number() -> None:
    invoice = issue_and_store(make_customer())
    page = page_of(invoice)

    for kind, content_type in (("pdf", "application/pdf"), ("xml", "application/xml")):
        assert file_url(invoice, kind) in page
        response = desk("Viewer").get(file_url(invoice, kind))
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"] == f'attachment; filename="{invoice.number}.{kind}"'
        name = getattr(ArchivedDocument.objects.get(), f"{kind}_name")
        content = response.getvalue()
        with documents_storage().open(name) as file:
            assert content == file.read()


def test_its_e_invoice_is_there_as_ubl_too() -> None:
    invoice = issue_and_store(make_customer())
    assert file_url(invoice, "ubl") in page_of(invoice)
    response = desk("Viewer").get(file_url(invoice, "ubl"))
    assert response.headers["Content-Disposition"] == f'attachment; filename="{invoice.number}.ubl.xml"'
    assert f"<cbc:ID>{invoice.number}</cbc:ID>" in response.getvalue().decode()


def test_drafts_and_strangers_have_no_files() -> None:
    draft, invoice = make_invoice(fees_cents=1_000), issue_and_store(make_customer())
    waiting = make_invoice(status="pending", fees_cents=1_000)

    assert 'id="delivery"' not in page_of(draft)
    for url in (file_url(draft), file_url(waiting), file_url(invoice, "exe")):
        assert desk().get(url).status_code == 404
    assert desk().get(reverse("admin:billing_invoice_file", args=[2**63, "pdf"])).status_code == 404
    assert Client().get(file_url(invoice)).status_code == 302
    without = desk("Viewer")
    User.objects.get(email="vera@example.com").groups.clear()
    assert without.get(file_url(invoice)).status_code == 404


def test_a_lost_file_is_said() -> None:
    invoice = issue_and_store(make_customer())
    documents_storage().delete(ArchivedDocument.objects.get().pdf_name)

    response = desk().get(file_url(invoice), follow=True)

    assert "The file is not where it was stored" in response.content.decode()


def test_what_could_not_be_rendered_is_said_everywhere_and_tried_again() -> None:
    invoice, close = make_failed(3), make_close()

    assert "ValueError: no glyph" in page_of(invoice)
    cockpit = page_of(close)
    assert "0 of 1 issued documents have their files." in cockpit
    assert "1 failed" in cockpit
    assert str(invoice.number) in list_of("invoice", files="failed")
    dashboard = desk().get(reverse("admin:index")).content.decode()
    assert "could not be rendered time and again" in dashboard
    assert do(close, "render", role="Accountant").status_code == 403
    ArchivedDocument.objects.update(not_before=local("2030-01-01"))

    assert do(close, "render").status_code == 200

    assert Event.objects.get().kind == "documents.retried"
    assert ArchivedDocument.objects.get().not_before < local("2030-01-01")


def test_one_document_is_rendered_again_from_its_page() -> None:
    invoice = make_failed()
    ArchivedDocument.objects.update(not_before=local("2030-01-01"))

    do(invoice, "render")

    assert ArchivedDocument.objects.get().not_before < local("2030-01-01")
    assert "Files that could not be made were tried again" in page_of(invoice)


def test_the_cockpit_counts_what_is_stored_and_looks_again_meanwhile() -> None:
    issue_and_store(make_customer())
    close = make_close()
    assert "1 of 1 issued documents have their files." in page_of(close)
    assert "every 5s" not in page_of(close)

    make_invoice(status="pending", fees_cents=1_000)

    assert "1 of 2 issued documents have their files." in page_of(close)
    assert "every 5s" in page_of(close)


# --- E-mails ----------------------------------------------------------------------------------------------------------


def test_the_list_tells_what_was_sent_and_what_was_not_and_why() -> None:
    sent, unclear = make_mail(), make_mail(organization=make_customer(email="bob@example.com"))
    send_mail(send=deliver_mail, at=AT)

    def breaks(message: Any) -> None:
        raise Unclear("Connection unexpectedly closed")

    send_mail(send=breaks, at=AT)

    everything = list_of("outgoingmail")
    assert sent.recipient in everything
    assert "Connection unexpectedly closed" in everything
    assert "The mail server is a stand-in" in everything
    only_unclear = list_of("outgoingmail", state__exact="unclear")
    assert unclear.recipient in only_unclear
    assert sent.recipient not in only_unclear
    assert "E-mails may have been sent or not" in desk().get(reverse("admin:index")).content.decode()
    assert "Nobody knows whether an e-mail arrived" in page_of(unclear.invoice)
    assert "Sent by e-mail" in page_of(sent.invoice)


def test_an_e_mail_is_found_by_its_recipient_its_document_and_its_organization() -> None:
    found, other = make_mail(organization=make_customer(email="Billing@vermeil.example")), make_mail()
    Organization.objects.filter(pk=found.organization_id).update(name="Ochre")

    for term in ("billing@VERMEIL", "BILLING@v", str(found.invoice.number).lower(), "ochre"):
        listed = list_of("outgoingmail", q=term)
        assert found.recipient in listed, term
        assert other.recipient not in listed, term
    assert found.recipient in list_of("outgoingmail", q="billing")
    assert found.recipient not in list_of("outgoingmail", q="vermeil.example@")


def test_why_an_e_mail_is_not_sent_is_said_in_the_language_of_who_reads() -> None:
    mail = make_mail()
    OutgoingMail.objects.update(state="failed", error=TOO_LATE)
    pages = [reverse("admin:billing_outgoingmail_changelist")]
    pages += [reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk]) for row in (mail, mail.invoice)]

    for page in pages:
        french = desk().get(page, headers={"Accept-Language": "fr"}).content.decode()
        assert "Il n’a pas pu être envoyé à temps." in french


def test_what_nobody_gets_is_on_the_first_page_until_somebody_sends_it() -> None:
    fiona = desk("Accountant")
    invoice = issue_and_store(make_organization(), at=timezone.now())
    issue_and_store(make_customer(), at=timezone.now())

    assert "Documents were sent to nobody" in fiona.get(reverse("admin:index")).content.decode()
    listed = list_of("invoice", files="nobody")
    assert str(invoice.number) in listed
    assert "1 invoice" in listed

    do(invoice, "send", role="Accountant", recipient="bob@example.com")

    assert "Documents were sent to nobody" not in fiona.get(reverse("admin:index")).content.decode()
    assert str(invoice.number) not in list_of("invoice", files="nobody")


def test_the_page_shows_both_forms_and_runs_nothing_of_them() -> None:
    organization = make_customer()
    BillingProfile.objects.filter(pk=organization.pk).update(company="<script>x</script>")
    mail = make_mail(organization=organization)

    page = page_of(mail)

    assert 'sandbox srcdoc="&lt;!doctype html&gt;' in page
    assert "<script>x</script>" not in page
    assert "for &lt;script&gt;x&lt;/script&gt;." in page  # the plain text
    assert "for &amp;lt;script&amp;gt;x&amp;lt;/script&amp;gt;." in page  # the HTML, which escapes it as well
    assert f"Please find attached invoice {mail.invoice.number}" in page


def test_the_page_of_what_was_sent_says_that_it_is_worded_as_of_now() -> None:
    mail = make_mail()
    assert "what is left to pay may have changed since" not in page_of(mail)

    send_mail(send=deliver_mail, at=AT)

    assert "what is left to pay may have changed since" in page_of(mail)


def test_fiona_sends_an_invoice_to_somebody_else() -> None:
    invoice = issue_and_store(make_customer())

    refused = do(invoice, "send", role="Accountant", recipient="nobody")
    assert "HX-Redirect" not in refused.headers
    assert do(invoice, "send", role="Viewer", recipient="bob@example.com").status_code == 403
    assert do(invoice, "send", role="Accountant", recipient="bob@example.com").status_code == 200

    assert list(OutgoingMail.objects.order_by("id").values_list("recipient", "number")) == [
        ("billing@example.org", 1),
        ("bob@example.com", 1),
    ]
    page = page_of(invoice)
    assert "It is to be sent by e-mail" in page
    assert "bob@example.com" in page


def test_fiona_sends_again_tries_again_and_gives_up() -> None:
    mail = make_mail()
    send_mail(send=deliver_mail, at=AT)

    assert do(mail, "resend", role="Accountant", recipient=mail.recipient).status_code == 200
    again = OutgoingMail.objects.get(number=2)
    assert do(again, "give_up", role="Accountant", reason="By post.").status_code == 200
    again.refresh_from_db()
    assert again.state == "given_up"
    refused = do(again, "try_again", role="Accountant")
    assert "given up already" in refused.content.decode()
    assert do(mail, "give_up", role="Viewer", reason="By post.").status_code == 403


def test_an_invoice_page_takes_the_same_queries_however_many_got_it() -> None:
    numbers = []
    for members in (0, 4):
        organization = make_customer()
        for number in range(members):
            make_member(organization, f"m{number}@example.com", "admin")
        invoice = issue_and_store(organization)
        client = desk()
        page_of(invoice, client)
        with CaptureQueriesContext(connection) as captured:
            page_of(invoice, client)
        numbers.append(len(captured))
    assert numbers[0] == numbers[1]


def test_the_path_to_an_e_mail_leaves_its_address_as_it_is() -> None:
    assert "Billing@example.org" not in page_of(make_mail())
