"""What was invoiced for a month as a FOCUS 1.2 dataset."""

from collections.abc import Iterable
from typing import Any

from django.http import FileResponse
from django.utils import timezone
from rest_framework.request import Request

from billing.api.pages import read_month, read_query
from billing.api.problems import Problem, not_found
from billing.api.views import KeyView
from billing.domain.periods import Month
from billing.queries.focus import (
    CONTENT_TYPE,
    FocusMismatch,
    FocusRow,
    focus_file,
    focus_of_month,
    focus_of_organization,
)
from billing.queries.platform_objects import platform_objects
from billing.queries.snapshot import read_snapshot
from billing.usecases.record_export import record_export


class FocusView(KeyView):
    """The dataset of a month: of everybody, or of one organization with those that it pays for."""

    scopes = {"GET": "invoices:read"}

    def get(self, request: Request, month: str) -> Any:
        """A file that sums to the documents to the cent, or a refusal."""
        organization = read_query(request.query_params, {"organization": str}).get("organization")
        try:
            wanted = read_month(month)
        except ValueError as error:
            raise not_found() from error
        try:
            with read_snapshot():
                file, number = focus_file(self._rows(wanted, organization))
        except FocusMismatch as error:
            raise Problem(409, "focus_mismatch", str(error)) from error
        filters = {"month": str(wanted), "organization": organization or "", "key": str(self.key)}
        record_export(
            model="billing.invoice", filters=filters, rows=number, file_format="focus", actor=None, at=timezone.now()
        )
        return FileResponse(file, as_attachment=True, filename=f"focus-{wanted}.csv", content_type=CONTENT_TYPE)

    def _rows(self, month: Month, organization: str | None) -> Iterable[FocusRow]:
        if organization is None and self.key.organization_id is None:
            return focus_of_month(month)
        return focus_of_organization(self._find(organization), month)

    def _find(self, identity: str | None) -> int:
        rows = platform_objects("organization", organization_id=self.key.organization_id)
        if identity is not None:
            rows = rows.filter(external_id=identity)
        organization = rows.first()
        if organization is None:
            raise not_found()
        return int(organization.pk)
