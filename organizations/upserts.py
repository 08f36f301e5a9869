"""Rows that are found by a public identifier and created or updated many at a time."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

# An UPDATE compares each of its rows with all the others, so that larger ones take longer and not shorter.
ROWS_PER_UPDATE = 200


class Upserts[Row: Model]:
    """Collects what a batch makes of rows, then writes it with few INSERT and UPDATE statements.

    A batch of one row is somebody's hand: it is saved with signals, so that the log of changes hears of it.
    `rows` holds what is stored, by identifier; what is put later in the batch finds what was put before it.
    """

    def __init__(self, model: type[Row], rows: dict[str, Row]) -> None:
        self.rows = rows
        self.created: list[Row] = []
        self._model = model
        self._changed: dict[int, Row] = {}
        self._fields: set[str] = set()

    def put(self, key: str, values: Mapping[str, Any], *, only_new: Mapping[str, Any] | None = None) -> bool:
        """Create the row of an identifier or update its fields; tell whether that changes anything.

        `only_new` are values that a new row gets beside the others.
        """
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = self._model(**(only_new or {}), **values)
            self.created.append(row)
            return True
        changes = differences(row, values)
        for field in changes:
            setattr(row, field, values[field])
        # A row that is still to be created takes its changes along.
        if changes and row.pk is not None and not row._state.adding:
            self._changed[row.pk] = row
            self._fields.update(changes)
        return bool(changes)

    def write(self) -> None:
        """Write what was put."""
        if len(self.created) + len(self._changed) == 1:
            self._save_one()
            return
        manager = self._model._default_manager
        manager.bulk_create(self.created)
        if self._changed:
            # In the order of their keys, so that two batches at once wait for each other instead of deadlocking.
            rows = [self._changed[pk] for pk in sorted(self._changed)]
            manager.bulk_update(rows, sorted(self._fields), batch_size=ROWS_PER_UPDATE)

    def _save_one(self) -> None:
        if self.created:
            self.created[0].save(force_insert=True)
        for row in self._changed.values():
            row.save(update_fields=self._fields)


def differences(row: Model, values: Mapping[str, Any]) -> list[str]:
    """The names of the fields in which a row differs from values."""
    return [field for field, value in values.items() if getattr(row, field) != value]
