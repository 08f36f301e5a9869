"""Import from a file: what it would do first, then, on a second click, what it does.

GET  …/import/            the page, GET …/import/template/ an empty table with the right columns
POST …/import/ file       reads the file and shows what would become of each row; nothing is written
POST …/import/ confirm    does it. The rows come back signed from the page, so that nothing is kept in between
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from billing.usecases._permissions import NotAllowed
from billing.usecases.import_table import (
    PERMISSIONS,
    ImportReport,
    Lines,
    UnreadableTable,
    columns_of,
    import_table,
    read_lines,
)
from organizations.models import User
from organizations.spreadsheets.writing import CONTENT_TYPES, write_xlsx

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _Admin
else:

    class _Admin:
        """The mixin stands before a class that has what it calls."""

        @classmethod
        def __class_getitem__(cls, _):
            return cls


CONFIRM_WITHIN = timedelta(hours=1)
SHOWN_REFUSALS = 200
MOST_TOKEN = 2_000_000  # Django refuses longer forms
EXAMPLES = {
    "price": [
        ["gpu.h100", "EUR", "2027-01-01", "3600", "graduated", "par", "", "", "false", "2.50", "100"],
        ["", "", "", "", "", "", "", "", "", "2.20", ""],
    ],
    "charge": [["MIG-7", "orga_…", "one_shot", "Database migration", "1", "800.00", "2026-10-20"]],
    "organization": [["orga_…", "Atlas", "EUR", "2026-01-15"]],
}


class FileForm(forms.Form):
    """Asks for the file."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("Excel (.xlsx) or .csv in UTF-8: at most 5,000 rows and 5 MB, no macros."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx,.csv"}),
    )


@dataclass(frozen=True)
class Preview:
    """What became of the rows, or would; `token` is what confirms it."""

    name: str
    report: ImportReport
    refusals: list[Any]
    token: str

    @property
    def left_out(self) -> int:
        """How many refusals the page does not list."""
        return len(self.report.refusals) - len(self.refusals)


class ImportsMixin[M: Model](_Admin[M]):
    """Gives a list an import; `imported` is the kind of line that its files hold."""

    imported: ClassVar[str]

    def get_urls(self) -> list[URLPattern]:
        """The import, before Django's own patterns, which would take it for a key."""
        name = f"{self.model._meta.app_label}_{self.model._meta.model_name}_import"
        return [
            path("import/", self.admin_site.admin_view(self.import_view), name=name),
            path("import/template/", self.admin_site.admin_view(self.template_view), name=f"{name}_template"),
            *super().get_urls(),
        ]

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Who may add such rows one by one may add them from a file."""
        return request.user.has_perms(PERMISSIONS[self.imported])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Offer the import beside the files of the list."""
        url = self._url("import") if self.has_import_permission(request) else ""
        return super().changelist_view(request, {"import_url": url, **(extra_context or {})})

    def template_view(self, request: HttpRequest) -> FileResponse:
        """An empty table with an example, to be filled in."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        names = [field.name for field in columns_of(self.imported)]
        file = write_xlsx(self.imported, names, EXAMPLES[self.imported])
        return FileResponse(
            file, as_attachment=True, filename=f"{self.imported}-import.xlsx", content_type=CONTENT_TYPES["xlsx"]
        )

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file, show what it would do, do it."""
        if not isinstance(request.user, User) or not self.has_import_permission(request):
            raise PermissionDenied
        if request.method == "POST" and "confirm" in request.POST:
            return self._confirm(request, request.user)
        form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
        preview = None
        if form.is_bound and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                lines = read_lines(kind=self.imported, file=file)
            except UnreadableTable as refusal:
                form.add_error("file", gettext(str(refusal)))
            else:
                preview = self._rehearse(lines, str(file.name)[:200], request.user)
                if len(preview.token) > MOST_TOKEN:
                    form.add_error("file", gettext("The file holds too much text: split it."))
                    preview = None
        return self._ask(request, form, preview)

    def _rehearse(self, lines: Lines, name: str, user: User) -> Preview:
        report = self._run(lines, name, user, is_rehearsal=True)
        kept = {"name": name, "lines": lines.raw.decode(), "refusals": lines.refusals}
        token = signing.dumps(kept, salt=self._salt(user), compress=True)
        return Preview(name, report, list(report.refusals)[:SHOWN_REFUSALS], token if report.accepted else "")

    def _confirm(self, request: HttpRequest, user: User) -> HttpResponse:
        try:
            kept = signing.loads(request.POST["confirm"], salt=self._salt(user), max_age=CONFIRM_WITHIN)
            refusals = [(int(number), str(reason)) for number, reason in kept["refusals"]]
            lines = Lines(str(kept["lines"]).encode(), refusals)
        except signing.BadSignature:
            messages.error(request, gettext("This preview is no longer valid: choose the file again."))
            return HttpResponseRedirect(self._url("import"))
        report = self._run(lines, kept["name"], user, is_rehearsal=False)
        done = gettext("%(file)s: %(accepted)s stored, %(unchanged)s unchanged, %(rejected)s rejected.")
        counts = {"accepted": report.accepted, "unchanged": report.unchanged, "rejected": len(report.refusals)}
        messages.success(request, done % {"file": kept["name"], **counts})
        return HttpResponseRedirect(self._url("changelist"))

    def _run(self, lines: Lines, name: str, user: User, *, is_rehearsal: bool) -> ImportReport:
        try:
            return import_table(
                kind=self.imported,
                lines=lines,
                file_name=name,
                is_rehearsal=is_rehearsal,
                actor=user,
                at=timezone.now(),
            )
        except NotAllowed as refusal:
            raise PermissionDenied from refusal

    def _ask(self, request: HttpRequest, form: FileForm, preview: Preview | None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": gettext("Import %(what)s") % {"what": self.model._meta.verbose_name_plural},
            "form": form,
            "preview": preview,
            "columns": columns_of(self.imported),
            "template_url": self._url("import_template"),
            "list_title": capfirst(self.model._meta.verbose_name_plural),
        }
        return TemplateResponse(request, "admin/import_page.html", context)

    def _salt(self, user: User) -> str:
        """A preview is confirmed by who saw it, on the page that showed it."""
        return f"billing.import.{self.imported}.{user.pk}"

    def _url(self, name: str) -> str:
        meta = self.model._meta
        return reverse(f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_{name}")
