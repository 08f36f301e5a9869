"""What webhooks announce, in words."""

from django.utils.translation import gettext_lazy as _

EVENT_WORDS = {
    "invoice.issued": _("an invoice was issued"),
    "invoice.paid": _("an invoice was fully paid"),
    "invoice.overdue": _("an invoice was not paid by its due date"),
    "credit_note.issued": _("a credit note was issued"),
    "month_close.finished": _("every organization has an outcome for a month"),
    "organization.suspend": _("services are to be suspended, as an invoice is long overdue"),
}
