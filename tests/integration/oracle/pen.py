"""Writes NDJSON lines with a deterministic hand: a random generator, fresh references, times as people write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from random import Random


@dataclass
class Pen:
    rng: Random
    written: int = 0

    def reference(self, prefix: str) -> str:
        self.written += 1
        return f"{prefix}-{self.written}"

    def time(self, moment: datetime) -> str:
        if self.rng.random() < 0.2:
            return moment.astimezone(timezone(timedelta(hours=self.rng.choice([-5, 2, 5.5])))).isoformat()
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
