"""Adjusting on the invoice's page: the buttons, and the section that says who changed what and why."""

from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from billing.admin import _adjust_forms as forms
from billing.admin import _decide_forms
from billing.admin._actions import PageAction
from billing.admin._adjustment_words import adjustment_in_words, conflict_sentence
from billing.domain.adjustments import SKIPPABLE
from billing.models import Adjustment, Invoice
from billing.queries.adjustments import ListedAdjustment, list_adjustments
from billing.queries.invoice_pages import InvoicePage
from billing.queries.target_names import names_of_targets

PERMISSION = "billing.adjust_invoice"
LABELS = {
    "applied": "",
    "conflict": _("to be decided"),
    "replaced": _("replaced by a later one"),
    "undone": _("undone"),
}


def _is_draft(invoice: Invoice) -> bool:
    return invoice.kind == Invoice.Kind.INVOICE and invoice.document_state == "draft"


def _is_open(invoice: Invoice) -> bool:
    return invoice.kind == Invoice.Kind.INVOICE and invoice.document_state != "issued"


ADJUST_ACTIONS: tuple[PageAction[Invoice], ...] = (
    PageAction("add-line", _("Add a line"), forms.LineForm, PERMISSION, "playlist_add", is_offered=_is_draft),
    PageAction("discount", _("Give a discount"), forms.DiscountForm, PERMISSION, "percent", is_offered=_is_draft),
    PageAction(
        "refill",
        _("Set another refill"),
        forms.RefillForm,
        PERMISSION,
        "savings",
        description=_("Prepaid credits that this invoice sells instead of the computed refill h; 0.00 for none."),
        is_offered=_is_draft,
    ),
    PageAction(
        "skip",
        _("Skip a line"),
        forms.SkipForm,
        PERMISSION,
        "redo",
        description=_("It is not billed now, and is on the next invoice again."),
        is_offered=lambda invoice: _is_draft(invoice) and invoice.lines.filter(kind__in=SKIPPABLE).exists(),
    ),
    PageAction("due-date", _("Set the due date"), forms.DueDateForm, PERMISSION, "event", is_offered=_is_draft),
    PageAction(
        "purchase-order", _("Set the purchase order"), forms.PurchaseOrderForm, PERMISSION, "tag", is_offered=_is_draft
    ),
    PageAction("note", _("Write a note"), forms.NoteForm, PERMISSION, "sticky_note_2", is_offered=_is_draft),
)
HOLD_ACTIONS: tuple[PageAction[Invoice], ...] = (
    PageAction(
        "hold",
        _("Put on hold"),
        _decide_forms.HoldForm,
        PERMISSION,
        "pause_circle",
        description=_("It is not issued until somebody releases it."),
        submit=_("Put on hold"),
        is_offered=lambda invoice: _is_draft(invoice) and not invoice.hold_reason,
    ),
    PageAction(
        "release",
        _("Release"),
        _decide_forms.ReleaseForm,
        PERMISSION,
        "play_circle",
        submit=_("Release"),
        is_offered=lambda invoice: _is_draft(invoice) and bool(invoice.hold_reason),
    ),
)
ROW_ACTIONS: tuple[PageAction[Invoice], ...] = (
    PageAction(
        "undo-adjustment",
        _("Undo an adjustment"),
        _decide_forms.UndoForm,
        PERMISSION,
        "undo",
        submit=_("Undo"),
        is_offered=_is_open,
    ),
    PageAction(
        "keep-adjustment",
        _("Keep an adjustment"),
        _decide_forms.KeepForm,
        PERMISSION,
        "check",
        description=_("It then belongs to its line as that is now."),
        submit=_("Keep"),
        is_offered=_is_draft,
    ),
)


def adjustments_context(invoice: Invoice, page: InvoicePage, urls: dict[str, str]) -> dict[str, Any]:
    """The section of adjustments: `urls` has the addresses of the row actions that this person may take here."""
    listed = list_adjustments(invoice)
    names = names_of_targets([each.row for each in listed], page.lines) if listed else {}
    return {
        "adjustments": [_row(each, names, urls) for each in listed],
        "conflicts": sum(each.state == "conflict" for each in listed),
        "wishes": _wishes(invoice, listed),
    }


def _row(listed: ListedAdjustment, names: dict[str, str], urls: dict[str, str]) -> dict[str, Any]:
    row = listed.row
    query = f"&{urlencode({'adjustment': row.pk})}"
    is_conflict = listed.conflict is not None
    return {
        "row": row,
        "words": adjustment_in_words(row, names),
        "state": listed.state,
        "label": LABELS[listed.state],
        "net_cents": listed.net_cents,
        "conflict": conflict_sentence(listed),
        "undo_url": urls["undo-adjustment"] + query if "undo-adjustment" in urls and row.undone_at is None else "",
        "keep_url": urls["keep-adjustment"] + query if "keep-adjustment" in urls and is_conflict else "",
    }


def _wishes(invoice: Invoice, listed: list[ListedAdjustment]) -> dict[str, Any]:
    """What will be on the document once it is issued: due date, purchase order, note."""
    if not _is_draft(invoice):
        return {}
    kinds = (Adjustment.Kind.DUE_DATE, Adjustment.Kind.PURCHASE_ORDER, Adjustment.Kind.NOTE)
    return {
        str(each.row.kind): each.row.day or each.row.text
        for each in listed
        if each.state == "applied" and each.row.kind in kinds
    }
