"""Write down that somebody took a list of the desk away."""

from collections.abc import Mapping
from datetime import datetime

from billing.usecases._events import NewEvent, record_event
from organizations.models import User


def record_export(
    *, model: str, filters: Mapping[str, str], rows: int, file_format: str, actor: User | None, at: datetime
) -> None:
    """Leave an event; `model` is a label such as `billing.invoice`, `filters` what the list was narrowed by."""
    values = {"model": model, "filters": dict(filters), "rows": rows, "format": file_format}
    record_event(NewEvent("list.exported", values=values), actor=actor, at=at)
