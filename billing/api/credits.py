"""Credits: how they stand, and every movement."""

from typing import Any

from rest_framework.request import Request

from billing.api.pages import PAGING, answer_page, read_page, read_query
from billing.api.problems import not_found
from billing.api.views import KeyView, ok
from billing.queries.credit_accounts import credit_balance, credit_entries, export_entry
from billing.queries.platform_objects import platform_objects


class CreditBalanceView(KeyView):
    """The balance of one organization."""

    scopes = {"GET": "credits:read"}

    def get(self, request: Request, identity: str) -> Any:
        """What can be used, and what is pending."""
        read_query(request.query_params, {})
        rows = platform_objects("organization", organization_id=self.key.organization_id)
        organization = None if "\0" in identity else rows.filter(external_id=identity).first()
        if organization is None:
            raise not_found()
        return ok(credit_balance(organization))


class CreditEntriesView(KeyView):
    """Movements, oldest first."""

    scopes = {"GET": "credits:read"}

    def get(self, request: Request) -> Any:
        """One page."""
        values = read_query(request.query_params, {**PAGING, "organization": str})
        entries = credit_entries(organization_id=self.key.organization_id)
        if "organization" in values:
            entries = entries.filter(grant__organization__external_id=values["organization"])
        return ok(answer_page(entries, read_page(values), lambda rows: [export_entry(row) for row in rows]))
