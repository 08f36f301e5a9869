"""Buttons that call a use case: who sees them, what a refusal looks like, that a preview writes nothing."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from billing.admin._actions import Effect, PageAction, ReasonForm
from billing.admin.invoices import InvoiceAdmin
from billing.models import Invoice
from tests.builders.desk import make_staff
from tests.builders.invoices import make_invoice

pytestmark = pytest.mark.django_db


class Refused(Exception):
    """What the use case of these tests says no with."""


class RenameForm(ReasonForm[Invoice]):
    """Refuses one reason, and shows an effect."""

    refusals = (Refused,)
    has_effect = True

    def perform(self) -> str:
        if self.cleaned_data["reason"] == "no":
            raise Refused("Not for that reason.")
        Invoice.objects.filter(pk=self.target.pk).update(note=self.cleaned_data["reason"])
        return "Noted."

    def effect(self) -> list[Effect]:
        return [Effect("Total", "EUR", self.target.total_cents, 12_345)]


class Desk(InvoiceAdmin):
    """The page of an invoice with a single button."""

    page_actions = (
        PageAction(
            name="rename",
            title="Rename",
            form=RenameForm,
            permission="billing.issue_invoice",
            is_offered=lambda invoice: invoice.document_state == "draft",
        ),
    )


SCRIPT = {"HX-Request": "true"}


def ask(
    invoice: Invoice,
    data: dict[str, str] | None = None,
    *,
    role: str = "Billing manager",
    headers: dict[str, str] | None = None,
) -> Any:
    url = f"/admin/billing/invoice/{invoice.pk}/do/rename/"
    request = RequestFactory().post(url, data, headers=headers) if data else RequestFactory().get(url, headers=headers)
    request.user = make_staff(role)
    request.session = SessionStore()
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]  # set or read at run time
    response: HttpResponse = Desk(Invoice, admin.site).action_view(request, str(invoice.pk), "rename")
    return response.render() if hasattr(response, "render") else response


def noted(invoice: Invoice) -> str:
    return Invoice.objects.get(pk=invoice.pk).note


def test_a_dialog_asks_and_a_page_does_where_there_is_no_script() -> None:
    invoice = make_invoice()
    assert "<html" not in ask(invoice, headers=SCRIPT).content.decode()
    assert "<html" in ask(invoice).content.decode()


def test_saving_calls_the_use_case_and_leads_back() -> None:
    invoice = make_invoice()
    page = reverse("admin:billing_invoice_change", args=[invoice.pk])
    assert ask(invoice, {"reason": "late"})["Location"] == page
    assert ask(invoice, {"reason": "late"}, headers=SCRIPT)["HX-Redirect"] == page
    assert noted(invoice) == "late"


def test_a_refusal_is_said_in_the_dialog_and_nothing_is_written() -> None:
    invoice = make_invoice()
    assert "Not for that reason." in ask(invoice, {"reason": "no"}).content.decode()
    assert "This field is required." in ask(invoice, {"reason": " "}).content.decode()
    assert noted(invoice) == ""


def test_a_preview_shows_the_effect_and_writes_nothing() -> None:
    invoice = make_invoice()
    assert "123.45" in ask(invoice, {"reason": "late", "preview": "1"}).content.decode()
    assert noted(invoice) == ""


def test_a_role_without_the_permission_is_refused_and_sees_no_button() -> None:
    invoice = make_invoice()
    with pytest.raises(PermissionDenied):
        ask(invoice, {"reason": "late"}, role="Accountant")
    request = RequestFactory().get("/")
    request.user = make_staff("Accountant")
    assert Desk(Invoice, admin.site).buttons(request, invoice) == []
    assert noted(invoice) == ""


def test_a_button_is_offered_where_it_can_do_something() -> None:
    request = RequestFactory().get("/")
    request.user = make_staff("Billing manager")
    desk = Desk(Invoice, admin.site)
    draft, issued = make_invoice(), make_invoice(status="pending")
    assert [button.name for button in desk.buttons(request, draft)] == ["rename"]
    assert desk.buttons(request, issued) == []


def test_an_unknown_action_is_not_found() -> None:
    invoice = make_invoice()
    request = RequestFactory().get("/")
    request.user = make_staff("Billing manager")
    with pytest.raises(Http404):
        Desk(Invoice, admin.site).action_view(request, str(invoice.pk), "forget")
