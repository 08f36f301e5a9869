"""The files of an issued document and who got it: on its page, with what can be done about both."""

from io import BytesIO
from typing import IO, Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget

from billing import formatting
from billing.admin._actions import ActionForm, PageAction
from billing.documents.e_invoice import ubl_xml
from billing.models import ArchivedDocument, Invoice, OutgoingMail
from billing.queries.archive import FileKind, file_name, open_file
from billing.queries.documents import load_document
from billing.queries.mails import mail_server_note, mails_of
from billing.usecases.resend_mail import UnableToSend, resend_mail
from billing.usecases.retry_documents import retry_documents

MAY_SEND = "billing.send_outgoingmail"
MAY_RETRY = "billing.issue_invoice"
XML = "application/xml"
CONTENT_TYPES: dict[str, str] = {"pdf": "application/pdf", "xml": XML}
UBL = "ubl"
"""Not stored: the same e-invoice, written when somebody wants it."""
MAIL_COLOURS = {"waiting": "info", "sending": "info", "sent": "success", "failed": "danger", "unclear": "warning"}
FILE_COLOURS = {"waiting": "info", "stored": "success", "failed": "danger"}


def file_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The addresses of the files: `…/invoice/<id>/files/pdf/`."""
    view = site.admin_view(download)
    return [path("<int:invoice_id>/files/<slug:kind>/", view, name="billing_invoice_file")]


def download(request: HttpRequest, invoice_id: int, kind: str) -> HttpResponseBase:
    """Give a stored file away, under the number of the document."""
    is_kind = kind in (*CONTENT_TYPES, UBL) and invoice_id < 2**63
    if not is_kind or not request.user.has_perm("billing.view_invoice"):
        raise Http404
    stored = ArchivedDocument.objects.select_related("invoice").filter(pk=invoice_id, state="stored").first()
    if stored is None:
        raise Http404
    if kind == UBL:
        file: IO[bytes] = BytesIO(ubl_xml(load_document(invoice_id)))
        return FileResponse(file, as_attachment=True, filename=file_name(stored.invoice, "ubl.xml"), content_type=XML)
    of_kind = cast(FileKind, kind)
    try:
        file = open_file(stored, of_kind)
    except OSError:
        messages.error(request, _t("The file is not where it was stored: manage.py verify says which are broken."))
        return HttpResponseRedirect(formatting.change_url("billing.invoice", invoice_id))
    name = file_name(stored.invoice, of_kind)
    return FileResponse(file, as_attachment=True, filename=name, content_type=CONTENT_TYPES[kind])


def delivery_context(invoice: Invoice) -> dict[str, Any]:
    """Files and e-mails of an issued document."""
    if invoice.document_state != "issued":
        return {}
    archived = ArchivedDocument.objects.filter(pk=invoice.pk).first()
    is_stored = archived is not None and archived.state == ArchivedDocument.State.STORED
    return {
        "archived": archived,
        "archived_colour": FILE_COLOURS[archived.state] if archived else "",
        "files": [(kind.upper(), _file_url(invoice, kind)) for kind in (*CONTENT_TYPES, UBL)] if is_stored else [],
        "mails": [(mail, MAIL_COLOURS.get(mail.state, "")) for mail in mails_of(invoice)],
        "mail_server_note": mail_server_note(),
    }


def _file_url(invoice: Invoice, kind: str) -> str:
    return reverse("admin:billing_invoice_file", args=[invoice.pk, kind])


class RetryDocumentForm(ActionForm[Invoice]):
    """Has the files of one document rendered now."""

    def perform(self) -> str:
        """Make it due."""
        if retry_documents(invoice_id=self.target.pk, actor=self.actor, at=self.at):
            return _t("It is rendered again in a few seconds.")
        return _t("It is due already: it is rendered in a few seconds.")


class SendForm(ActionForm[Any]):
    """Sends a document to an address."""

    refusals = (UnableToSend,)
    recipient = forms.EmailField(label=capfirst(_("recipient")), widget=UnfoldAdminEmailInputWidget)

    @property
    def invoice_id(self) -> int:
        """Of the document: the target is it, or an e-mail with it."""
        return int(self.target.invoice_id if isinstance(self.target, OutgoingMail) else self.target.pk)

    def perform(self) -> str:
        """Queue it."""
        recipient = self.cleaned_data["recipient"]
        resend_mail(invoice_id=self.invoice_id, recipient=recipient, actor=self.actor, at=self.at)
        return _t("It is sent to %(recipient)s in a few seconds.") % {"recipient": recipient}


def _has_files(invoice: Invoice) -> bool:
    return ArchivedDocument.objects.filter(pk=invoice.pk, state=ArchivedDocument.State.STORED).exists()


def _has_failed(invoice: Invoice) -> bool:
    return ArchivedDocument.objects.filter(pk=invoice.pk, state=ArchivedDocument.State.FAILED).exists()


DELIVERY_ACTIONS: tuple[PageAction[Any], ...] = (
    PageAction(
        name="send",
        title=_("Send by e-mail"),
        form=SendForm,
        permission=MAY_SEND,
        icon="mail",
        submit=_("Send"),
        description=_("With its PDF, to anybody: also to somebody who has it already."),
        is_offered=_has_files,
    ),
    PageAction(
        name="render",
        title=_("Render now"),
        form=RetryDocumentForm,
        permission=MAY_RETRY,
        icon="restart_alt",
        submit=_("Render"),
        description=_("It is tried again by itself as well."),
        is_offered=_has_failed,
    ),
)
