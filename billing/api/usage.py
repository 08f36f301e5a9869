"""`POST /api/usage`: what the platform measured."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request

from billing.api.bodies import MIB, read_body
from billing.api.problems import Problem
from billing.api.views import KeyView, ok
from billing.usecases.report_usage import TooManyRecords, UnreadableBatch, report_usage

NDJSON = "application/x-ndjson"
MAX_BYTES = 64 * MIB


class UsageView(KeyView):
    """Usage records, many at a time."""

    scopes = {"POST": "usage:write"}

    def post(self, request: Request) -> Any:
        """Store the good ones, name the others."""
        raw, media_type = read_body(request._request, media_types=("application/json", NDJSON), limit=MAX_BYTES)
        try:
            recorded = report_usage(
                batch=raw,
                is_lines=media_type == NDJSON,
                organization_id=self.key.organization_id,
                at=timezone.now(),
            )
        except TooManyRecords as error:
            raise Problem(413, error.code, str(error)) from error
        except UnreadableBatch as error:
            raise Problem(400, error.code, str(error)) from error
        return ok(recorded._asdict())
