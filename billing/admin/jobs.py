"""Bulk work: how far it is, what failed and why, and a second person's word where it takes one."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin import _displays as displays
from billing.admin._actions import ActionsMixin, PageAction, ReasonForm
from billing.admin._base import ComputedAdmin
from billing.models import BulkJob, BulkJobItem
from billing.queries.cockpit import load_progress
from billing.queries.outcomes import reason_sentences
from billing.usecases.decide_bulk_job import UnableToDecide, decide_bulk_job

STATE_COLOURS = {"running": "warning", "waiting": "info", "done": "success", "refused": "danger"}
ITEMS_PER_PAGE = 100


class DecisionForm(ReasonForm[BulkJob]):
    """A second person's word, with its reason."""

    refusals = (UnableToDecide,)
    approve = True

    def perform(self) -> str:
        """Approve or refuse."""
        decide_bulk_job(
            job_id=self.target.pk,
            approve=self.approve,
            reason=self.cleaned_data["reason"],
            actor=self.actor,
            at=self.at,
        )
        return _t("Approved: the work begins.") if self.approve else _t("Refused: nothing was done.")


class RefusalForm(DecisionForm):
    """No."""

    approve = False


def _waits(job: BulkJob) -> bool:
    return job.state == BulkJob.State.WAITING


@admin.register(BulkJob)
class BulkJobAdmin(ActionsMixin[BulkJob], ComputedAdmin[BulkJob]):
    """Started from a month close; kept as a trail."""

    list_display = [
        "name",
        displays.state_column("state", _("state"), STATE_COLOURS),
        displays.link_column("close", _("month close")),
        "author",
        "created_at",
        "finished_at",
    ]
    list_select_related = ["close", "author"]
    change_form_template = "admin/job_page.html"
    fields = ()
    empty_hint = _("Issuing, refreshing or retrying many at once from a month close leaves a line here.")
    page_actions = (
        PageAction(
            name="approve",
            title=_("Approve"),
            form=DecisionForm,
            permission="billing.approve_invoice",
            icon="check_circle",
            submit=_("Approve"),
            is_offered=_waits,
            needs_fresh_factor=True,
        ),
        PageAction(
            name="refuse",
            title=_("Refuse"),
            form=RefusalForm,
            permission="billing.approve_invoice",
            icon="cancel",
            submit=_("Refuse"),
            is_offered=_waits,
        ),
    )

    @display(description=_("work"))
    def name(self, job: BulkJob) -> str:
        """What is done."""
        return str(job.get_kind_display())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show how far the job is."""
        job = self.get_object(request, object_id)
        context = {} if job is None else {**_job_context(request, job), "buttons": self.buttons(request, job)}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})


def _job_context(request: HttpRequest, job: BulkJob) -> dict[str, Any]:
    progress = load_progress(job)
    shown = BulkJobItem.State.CHANGED if job.kind == BulkJob.Kind.PREVIEW else BulkJobItem.State.FAILED
    items = BulkJobItem.objects.filter(job=job, state__in={shown, BulkJobItem.State.FAILED})
    page = Paginator(items.order_by("state", "id").select_related("organization"), ITEMS_PER_PAGE).get_page(
        request.GET.get("items")
    )
    sentences = reason_sentences(page.object_list)
    return {
        "job": job,
        "progress": progress,
        "state_colour": STATE_COLOURS[job.state],
        "items": page,
        "items_pages": page.paginator.get_elided_page_range(page.number),
        "rows": [_item(item, sentences) for item in page.object_list],
    }


def _item(item: BulkJobItem, sentences: Any) -> dict[str, Any]:
    values = item.reason_values
    changed = item.state == BulkJobItem.State.CHANGED
    before, after = values.get("before_cents"), values.get("after_cents")
    return {
        "organization": item.organization,
        "sentence": "" if changed else sentences.get(item.pk, ""),
        "changed": changed,
        "currency": values.get("currency", ""),
        "before_cents": before,
        "after_cents": after,
        "change_cents": (after or 0) - (before or 0),
    }
