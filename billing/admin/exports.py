"""What the desk's lists tell when somebody takes one away becomes an event."""

from datetime import datetime
from typing import Any

from django.db.models import Model
from django.dispatch import receiver

from billing.usecases.record_export import record_export
from organizations.admin._exports import list_exported
from organizations.models import User


@receiver(list_exported)
def record_exported_list(
    *,
    model: type[Model],
    user: User,
    filters: dict[str, str],
    rows: int,
    file_format: str,
    at: datetime,
    **_kwargs: Any,
) -> None:
    """Before the file leaves: one that nobody could write down is not given out."""
    label = model._meta.label_lower
    record_export(model=label, filters=filters, rows=rows, file_format=file_format, actor=user, at=at)
