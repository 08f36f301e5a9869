"""What every change of a draft by hand begins with: its locks, and whether it still is what the person saw."""

from django.utils.translation import gettext_noop as _

from billing.domain.lifecycle import DocumentState
from billing.models import Invoice
from organizations.models import Organization


class NotADraft(Exception):
    """There is no such draft any more: it is issued or discarded, or never was."""


class ChangedMeanwhile(Exception):
    """The draft says something else than what the person saw; nothing was written."""


def lock_draft(*, invoice_id: int, seen: str) -> Invoice:
    """Take the account of a draft, then the draft, and return it; `seen` is the fingerprint that the person saw.

    Raises NotADraft and ChangedMeanwhile.
    """
    owner_id = Invoice.objects.filter(pk=invoice_id).values_list("organization_id", flat=True).first()
    if owner_id is not None:
        Organization.objects.select_for_update(no_key=True).get(pk=owner_id)
    drafts = Invoice.objects.select_for_update(no_key=True).filter(document_state=DocumentState.DRAFT.value)
    invoice = drafts.filter(pk=invoice_id).first()
    if invoice is None:
        raise NotADraft(_("This invoice is not a draft any more: nothing was changed."))
    if invoice.fingerprint != seen:
        raise ChangedMeanwhile(_("The draft has changed since you opened it: look at it again. Nothing was changed."))
    return invoice
