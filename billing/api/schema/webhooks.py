"""What webhooks send, as the `webhooks` of OpenAPI 3.1."""

from typing import Any

from billing.domain.webhooks import EVENT_TYPES
from billing.queries.webhook_words import EVENT_WORDS

type Schema = dict[str, Any]

CHECKING = (
    "A message is signed as Standard Webhooks 1.0.0 says. `webhook-signature` holds one or more values `v1,<base64>`, "
    "separated by spaces; one of them is the HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>`, the bytes of "
    "the body as they came, under the secret of the webhook (what follows `whsec_`, decoded from base64). Compare in "
    "constant time, and refuse a `webhook-timestamp` (seconds since 1970) that is more than five minutes off: that, "
    "and remembering the ids of these minutes, keeps anybody from replaying a message.\n\nAnswer 2xx within ten "
    "seconds. Anything else is tried again, later and later, for three days; 410 switches the webhook off. A message "
    "may come twice, or after a later one: `webhook-id` stays the same."
)
DOCUMENT: Schema = {
    "type": "invoice",
    "organization": "orga_5d0",
    "number": "F20261101-000042",
    "refers_to": None,
    "status": "pending",
    "consumption_month": "2026-10",
    "currency": "EUR",
    "issue_date": "2026-11-01",
    "due_date": "2026-12-01",
    "subtotal": "682.43",
    "vat": "136.49",
    "total": "818.92",
    "amount_due": "818.92",
}
CREDIT_NOTE = DOCUMENT | {"type": "credit_note", "number": "A20261103-000001", "refers_to": "F20261101-000042"}
CLOSE: Schema = {
    "month": "2026-10",
    "run": 1,
    "started_at": "2026-11-01T00:15:00Z",
    "finished_at": "2026-11-01T00:15:05Z",
    "outcomes": {"invoice": 120, "nil": 3, "on_parent": 7, "blocked": 1},
}
EXAMPLES: dict[str, Schema] = {
    "invoice.issued": DOCUMENT,
    "invoice.paid": DOCUMENT | {"status": "paid", "amount_due": "0.00"},
    "invoice.overdue": DOCUMENT,
    "credit_note.issued": CREDIT_NOTE | {"status": "paid", "amount_due": "0.00"},
    "month_close.finished": CLOSE,
    "organization.suspend": {"organization": "orga_5d0", "invoice": DOCUMENT},
}
_HEADERS = (
    ("webhook-id", "The same however often the message comes.", "evt_0b1f"),
    ("webhook-timestamp", "Seconds since 1970 when this attempt was made.", "1793491200"),
    (
        "webhook-signature",
        "One signature or several, separated by spaces.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
)


def add_webhooks(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """Hook of drf-spectacular: every event with an example."""
    result["webhooks"] = {event: {"post": _operation(event)} for event in EVENT_TYPES}
    return result


def _operation(event: str) -> Schema:
    example = {"id": "evt_0b1f", "type": event, "timestamp": "2026-11-01T09:00:00Z", "data": EXAMPLES[event]}
    return {
        "operationId": f"webhook_{event}",
        "summary": str(EVENT_WORDS[event]).capitalize(),
        "description": CHECKING,
        "tags": ["webhooks"],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": words,
                "schema": {"type": "string"},
                "example": sample,
            }
            for name, words, sample in _HEADERS
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _schema(event, EXAMPLES[event]), "example": example}},
        },
        "responses": {
            "2XX": {"description": "Taken."},
            "410": {"description": "Nobody listens any more: the webhook is switched off."},
            "default": {"description": "Tried again later."},
        },
        "security": [],
    }


def _schema(event: str, data: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["id", "type", "timestamp", "data"],
        "properties": {
            "id": {"type": "string", "description": "As `webhook-id`."},
            "type": {"const": event},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": _object(data),
        },
    }


def _object(value: Schema) -> Schema:
    return {
        "type": "object",
        "required": list(value),
        "properties": {name: _of(each) for name, each in value.items()},
        "additionalProperties": True,
    }


def _of(value: Any) -> Schema:
    match value:
        case dict():
            return _object(value)
        case int():
            return {"type": "integer"}
        case None:
            return {"type": ["string", "null"]}
    return {"type": "string"}
