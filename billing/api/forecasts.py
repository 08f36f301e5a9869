"""The next invoice of an organization, by the code that closes months."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request

from billing.api.pages import read_query
from billing.api.problems import Problem, not_found
from billing.api.views import KeyView, ok
from billing.queries.exported_forecasts import export_forecast
from billing.queries.forecast import load_forecast
from billing.queries.platform_objects import platform_objects


class ForecastView(KeyView):
    """The forecast of one organization."""

    scopes = {"GET": "invoices:read"}

    def get(self, request: Request, identity: str) -> Any:
        """As it is now."""
        read_query(request.query_params, {})
        rows = platform_objects("organization", organization_id=self.key.organization_id)
        organization = None if "\0" in identity else rows.filter(external_id=identity).first()
        if organization is None:
            raise not_found()
        forecast = load_forecast(organization, at=timezone.now())
        if forecast is None:
            sentence = "It gets no invoice of its own this month: it is billed on its parent's, or not open."
            raise Problem(404, "no_forecast", sentence)
        return ok(export_forecast(organization, forecast))
