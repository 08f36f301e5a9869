"""Working on one draft: under the account's lock, on what the person saw, computed and written anew."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop as _
from msgspec import Struct, structs

from billing.domain.assembly import Blocked, Draft
from billing.domain.facts import Adjustment
from billing.domain.lifecycle import DocumentState
from billing.domain.periods import Month
from billing.formatting import format_month
from billing.models import Invoice, MonthClose
from billing.queries.accounts import Scope
from billing.queries.months import local_day
from billing.queries.reasons import reason_sentence
from billing.usecases._close_batch import Batch, Result, assemble_batch, compute_batch, write_batch
from organizations.models import Organization

REASON_LENGTH = 1000


class UnableToAdjust(Exception):
    """Nothing was changed. The message is an English sentence; `template` and `values` let a door translate it."""

    def __init__(self, template: str, **values: str | int) -> None:
        super().__init__(template % values)
        self.template = template
        self.values = values


class ChangedMeanwhile(UnableToAdjust):
    """The draft is another one than the person saw."""

    def __init__(self) -> None:
        super().__init__(_("Somebody changed this draft meanwhile: look at it as it is now, then decide again."))


class NotADraft(UnableToAdjust):
    """There is no such draft any more: it is issued or discarded, or never was."""

    def __init__(self) -> None:
        super().__init__(_("This is not a draft any more: nothing was changed."))


class Effect(Struct, frozen=True):
    """What a change does to the total of a month, in cents; 0 where there is no draft.

    `before_cents` is what is stored, `computed_cents` what it would be without the change (usage or payments may have
    arrived since), `after_cents` what it is with it. `invoice_id` is None when there is nothing to bill any more.
    """

    currency: str
    before_cents: int
    computed_cents: int
    after_cents: int
    invoice_id: int | None
    fingerprint: str

    @property
    def change_cents(self) -> int:
        """What the change itself adds or takes off."""
        return self.after_cents - self.computed_cents


class OpenMonth(Struct, frozen=True):
    """One payer's month that is not issued yet: computed, and locked until the transaction ends."""

    batch: Batch
    result: Result
    close_id: int
    at: datetime

    @property
    def adjustments(self) -> Sequence[Adjustment]:
        """Those in force."""
        return self.result.facts.adjustments

    def with_adjustments(self, adjustments: Sequence[Adjustment]) -> Result:
        """Compute the month with these adjustments instead, in memory."""
        facts = structs.replace(self.result.facts, adjustments=adjustments)
        return assemble_batch(self.batch.loaded, [facts]).results[0]

    def rewrite(self, adjusted: Result) -> Effect:
        """Write the month as computed with other adjustments; what else changed meanwhile is written with it.

        Raises UnableToAdjust when it cannot be billed like this.
        """
        if isinstance(adjusted.assembled, Blocked):
            reason = adjusted.assembled.reason
            raise UnableToAdjust(
                _("This month cannot be billed at present: %(why)s"), why=reason_sentence(reason.code, reason.values)
            )
        batch = structs.replace(self.batch, results=[adjusted])
        invoice_ids = write_batch(batch, close_id=self.close_id, at=self.at)
        existing = self.result.existing
        return Effect(
            currency=adjusted.facts.terms.currency,
            before_cents=existing.total_cents if existing else 0,
            computed_cents=_total_cents(self.result),
            after_cents=_total_cents(adjusted),
            invoice_id=invoice_ids.get(adjusted.account.id),
            fingerprint=adjusted.page.fingerprint if adjusted.page else "",
        )


def _total_cents(result: Result) -> int:
    return result.assembled.total_cents if isinstance(result.assembled, Draft) else 0


def open_month(*, organization_id: int, month: Month, seen: str, at: datetime) -> OpenMonth:
    """Lock a payer's account and compute its month, which must be closed and not issued yet.

    `seen` is the fingerprint of the draft that the person looked at, empty when there was none. Raises
    ChangedMeanwhile when it is another now, UnableToAdjust when there is nothing that could be adjusted.
    """
    close = MonthClose.objects.filter(month=month.first_day).first()
    batch = compute_batch(month, Scope(ids=[organization_id]), tax_date=local_day(at), lock=True)
    if close is None or not batch.results or batch.results[0].account.outcome_id is None:
        raise _not_open(batch, month)
    result = batch.results[0]
    if (result.existing.fingerprint if result.existing else "") != seen:
        raise ChangedMeanwhile
    return OpenMonth(batch, result, close.pk, at)


def _not_open(batch: Batch, month: Month) -> UnableToAdjust:
    if any(account.invoice_state == DocumentState.ISSUED for account in batch.accounts.others):
        return UnableToAdjust(
            _("The invoice of %(month)s is issued: correct it with a credit note."), month=format_month(month.first_day)
        )
    if batch.accounts.others:
        return UnableToAdjust(
            _("%(month)s is settled, and a later month is closed already."), month=format_month(month.first_day)
        )
    if batch.results:
        return UnableToAdjust(
            _("%(month)s is not closed for it yet: close it first."), month=format_month(month.first_day)
        )
    return UnableToAdjust(_("It has no invoice of its own for %(month)s."), month=format_month(month.first_day))


def lock_draft(*, invoice_id: int, seen: str) -> Invoice:
    """Lock an account and its draft, which must be as the person saw it. Only within a transaction.

    Raises ChangedMeanwhile and NotADraft.
    """
    owner = Invoice.objects.filter(pk=invoice_id).values("organization_id")
    Organization.objects.select_for_update(no_key=True).filter(pk__in=owner).first()
    invoice = Invoice.objects.select_for_update(no_key=True).filter(pk=invoice_id).first()
    if invoice is None or invoice.document_state != DocumentState.DRAFT:
        raise NotADraft
    if invoice.fingerprint != seen:
        raise ChangedMeanwhile
    return invoice


def check_reason(reason: str) -> str:
    """A reason without the space around it. Raises UnableToAdjust for an empty or endless one."""
    reason = reason.strip()
    if not reason:
        raise UnableToAdjust(_("Say why: a reason is needed."))
    if len(reason) > REASON_LENGTH:
        raise UnableToAdjust(_("A reason has at most %(limit)s characters."), limit=REASON_LENGTH)
    return reason


def roll_back_if(dry_run: bool) -> None:
    """Let the surrounding transaction (or its savepoint) write nothing: what was computed in it is all that counts."""
    if dry_run:
        transaction.set_rollback(True)
