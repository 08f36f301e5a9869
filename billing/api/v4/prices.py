"""Prices: of the catalogue, which everybody may read, and of an organization."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request

from billing.api.pages import Readers, read_query
from billing.api.problems import Problem
from billing.api.v4.views import MemberView, OpenView
from billing.api.views import ok
from billing.queries.customer_api.prices import load_price_system

CURRENCY = "EUR"
LONGEST_ZONE = 50


def read_zone(text: str) -> str:
    """The zone of prices."""
    if not 0 < len(text) <= LONGEST_ZONE:
        raise ValueError("write the name of a zone, such as par.")
    return text


def read_currency(text: str) -> str:
    """The currency of prices."""
    if not (len(text) == 3 and text.isascii() and text.isalpha()):
        raise ValueError("write a currency, such as EUR.")
    return text.upper()


class PriceSystemView(OpenView):
    """The catalogue of a zone and currency."""

    readers: Readers = {"zone_id": read_zone, "currency": read_currency}

    def get(self, request: Request) -> Any:
        """As it is now."""
        values = read_query(request.query_params, self.readers)
        currency = values.get("currency", CURRENCY)
        return ok(load_price_system(zone=_zone(values), currency=currency, at=timezone.now()))


class OrganizationPriceSystemView(MemberView):
    """What an organization pays in a zone: the catalogue, and what was negotiated with it."""

    readers: Readers = {"zone_id": read_zone}

    def get(self, request: Request, external_id: str) -> Any:
        """As it is now, in its currency."""
        values = read_query(request.query_params, self.readers)
        organization = self.find_organization(external_id)
        prices = load_price_system(
            zone=_zone(values), currency=organization.currency, at=timezone.now(), organization=organization
        )
        return ok(prices)


def _zone(values: dict[str, Any]) -> str:
    if "zone_id" not in values:
        raise Problem(400, "missing_parameter", "Name a zone: ?zone_id=par.")
    zone: str = values["zone_id"]
    return zone
