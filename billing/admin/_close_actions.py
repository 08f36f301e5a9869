"""What can be done with a whole month from its page: issue, refresh, retry, look first."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminSingleDateWidget

from billing.admin._actions import ActionForm, PageAction
from billing.models import BulkJob, CloseOutcome, MonthClose
from billing.queries.archive import failed_documents
from billing.queries.cockpit import load_states
from billing.queries.months import month_of
from billing.usecases.retry_documents import retry_documents
from billing.usecases.start_bulk_job import UnableToStart, start_bulk_job

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PERMISSION = "billing.issue_invoice"


class BulkForm(ActionForm[MonthClose]):
    """Starts bulk work; workers do it, and its page shows how far they are."""

    refusals = (UnableToStart,)
    kind: ClassVar[str]

    def perform(self) -> str:
        """Leave the job; the click answers at once."""
        job = start_bulk_job(
            kind=self.kind,
            close_id=self.target.pk,
            issue_date=self.cleaned_data.get("issue_date"),
            actor=self.actor,
            at=self.at,
        )
        if job.state == BulkJob.State.WAITING:
            return _t("So many at once take a second person: the work waits for an approval.")
        return _t("Started: this page shows how far it is.")


class IssueForm(BulkForm):
    """Issues what is ready."""

    kind = BulkJob.Kind.ISSUE

    @property
    def intro(self) -> str:
        """How many these are now."""
        states = load_states(self.target.month)
        ready = ngettext("%(number)s draft is ready.", "%(number)s drafts are ready.", states.ready) % {
            "number": number_format(states.ready, force_grouping=True)
        }
        if not states.awaiting:
            return ready
        waiting = ngettext(
            "%(number)s more waits for a second person.", "%(number)s more wait for a second person.", states.awaiting
        )
        return f"{ready} {waiting % {'number': number_format(states.awaiting, force_grouping=True)}}"

    issue_date = forms.DateField(
        label=capfirst(_("issue date")),
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text=_("Empty: today, or the day on which a second person approves."),
    )


class RefreshForm(BulkForm):
    """Computes all drafts anew."""

    kind = BulkJob.Kind.REFRESH


class RetryForm(BulkForm):
    """Tries the blocked ones again."""

    kind = BulkJob.Kind.RETRY


class PreviewForm(BulkForm):
    """Shows what a close would change."""

    kind = BulkJob.Kind.PREVIEW


class RetryDocumentsForm(ActionForm[MonthClose]):
    """Has the files that could not be made tried again now."""

    def perform(self) -> str:
        """Make them due."""
        number = retry_documents(month=self.target.month, actor=self.actor, at=self.at)
        return ngettext(
            "%(number)s document is rendered again.", "%(number)s documents are rendered again.", number
        ) % {"number": number}


class RetryOneForm(ActionForm[CloseOutcome]):
    """Tries one blocked organization again."""

    refusals = (UnableToStart,)

    def perform(self) -> str:
        """Leave a job of one item."""
        start_bulk_job(
            kind=BulkJob.Kind.RETRY,
            close_id=self.target.close_id,
            organization_ids=[self.target.organization_id],
            actor=self.actor,
            at=self.at,
        )
        return _t("Started: in a few seconds this page shows what became of it.")


def _has_ended(close: MonthClose) -> bool:
    return month_of(close.month).has_ended(timezone.now())


def _bulk(
    form: type[BulkForm], title: "StrOrPromise", icon: str, submit: "StrOrPromise", **more: Any
) -> PageAction[MonthClose]:
    return PageAction(str(form.kind), title, form, PERMISSION, icon=icon, submit=submit, **more)


CLOSE_ACTIONS: tuple[PageAction[Any], ...] = (
    _bulk(
        IssueForm,
        _("Issue what is ready"),
        "send",
        _("Issue"),
        description=_(
            "Numbers and dates are given, credits booked; nothing of it can be taken back but by credit notes."
        ),
        is_offered=_has_ended,
        needs_fresh_factor=True,
    ),
    _bulk(
        RefreshForm,
        _("Refresh drafts"),
        "refresh",
        _("Refresh"),
        description=_("Computes every draft anew; adjustments by hand are kept."),
        is_offered=_has_ended,
    ),
    _bulk(RetryForm, _("Retry blocked"), "restart_alt", _("Retry"), is_offered=_has_ended),
    _bulk(
        PreviewForm,
        _("Dry run"),
        "visibility",
        _("Look"),
        description=_("Computes everything, writes nothing, and lists what would change."),
    ),
    PageAction(
        name="render",
        title=_("Render what failed"),
        form=RetryDocumentsForm,
        permission=PERMISSION,
        icon="picture_as_pdf",
        submit=_("Render"),
        description=_("It is tried again by itself as well."),
        is_offered=lambda close: failed_documents(close.month).exists(),
    ),
)

OUTCOME_ACTIONS: tuple[PageAction[Any], ...] = (
    PageAction(
        name="retry",
        title=_("Retry"),
        form=RetryOneForm,
        permission=PERMISSION,
        icon="restart_alt",
        submit=_("Retry"),
        is_offered=lambda outcome: outcome.kind == CloseOutcome.Kind.BLOCKED,
    ),
)
