"""Programs that listen to webhooks."""

from collections.abc import Mapping
from typing import Any

import msgspec

from billing.domain.webhooks import EVENT_TYPES
from billing.models import WebhookEndpoint
from billing.usecases.create_webhook import create_webhook
from billing.usecases.deliver_webhook import NotDelivered
from organizations.models import Organization
from tests.builders.api import NOW

URL = "https://books.example.org/hook"


def make_webhook(
    *events: str, organization: Organization | None = None, name: str = "books", url: str = URL
) -> tuple[WebhookEndpoint, str]:
    """An endpoint that is told of these events, by default of all, and its secret."""
    made = create_webhook(
        name=name, url=url, events=events or EVENT_TYPES, organization=organization, actor=None, at=NOW
    )
    return made.row, made.secret


class Listener:
    """Takes messages as `deliver_webhook` would post them; answers each with the next of some statuses, then 200."""

    def __init__(self, *answers: int | str) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, bytes, Mapping[str, str]]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """One message; a text is the reason for which there is no answer."""
        self.got.append((url, body, headers))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, str):
            raise NotDelivered(answer)
        return answer

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What they say."""
        return [msgspec.json.decode(body) for _url, body, _headers in self.got]
