"""Keys of the API, and a program that uses one."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from billing.domain.scopes import FOR_THE_PLATFORM, SCOPES
from billing.models import ApiKey
from billing.usecases.create_api_key import create_api_key
from organizations.models import Organization

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def make_key(
    *scopes: str,
    organization: Organization | None = None,
    name: str = "scaler",
    expires_at: datetime | None = None,
    at: datetime = NOW,
) -> str:
    """Make a key, by default one that may do everything that a key may."""
    everything = [scope for scope in SCOPES if organization is None or scope not in FOR_THE_PLATFORM]
    return create_api_key(
        name=name, scopes=scopes or everything, organization=organization, expires_at=expires_at, actor=None, at=at
    ).key


def key_row(key: str) -> ApiKey:
    """The row of a key."""
    return ApiKey.objects.get(prefix="_".join(key.split("_")[:2]))


class Program:
    """A client of the API; without a key it shows none."""

    def __init__(self, key: str | None = None) -> None:
        self._client = Client(raise_request_exception=True)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def get(self, url: str, **query: str) -> Any:
        """Read."""
        return self._client.get(url, query, headers=self._headers)

    def send(
        self,
        method: str,
        url: str,
        body: object,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Write; bytes go as they are, anything else as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._client.generic(method, url, raw, content_type, headers={**self._headers, **(headers or {})})

    def put(self, url: str, body: object) -> Any:
        """Create or change."""
        return self.send("PUT", url, body)

    def post(self, url: str, body: object, **options: Any) -> Any:
        """Add."""
        return self.send("POST", url, body, **options)
