"""What the modules that store lines have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from django.db import DataError, IntegrityError

from billing.usecases._references import Owner, References
from billing.usecases._transactions import run_in_transaction
from billing.usecases._usage_partitions import forget_partitions
from organizations.models import User


class RejectedLine(ValueError):
    """A line is not stored; the message is a sentence, the code is for programs."""

    code = "refused"


class UnknownReference(RejectedLine):
    """A line names what does not exist."""

    code = "unknown_reference"


class InvalidField(RejectedLine):
    """The text of a field is not what it has to be."""

    code = "invalid_object"


class DifferentContent(RejectedLine):
    """What is recorded once was recorded before with other content."""

    code = "different_content"


class Rejected(NamedTuple):
    """The number of a line and why it was not stored."""

    number: int
    reason: str
    code: str = RejectedLine.code


class Numbered[Kind: msgspec.Struct](NamedTuple):
    """A decoded line and its number in the file."""

    number: int
    line: Kind


@dataclass(slots=True)
class Verdicts:
    """What became of the lines of a batch: numbers with reasons, lines to be tried again with theirs."""

    accepted: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    postponed: list[tuple[Numbered[Any], Rejected]] = field(default_factory=list)

    def __add__(self, other: "Verdicts") -> "Verdicts":
        return Verdicts(
            self.accepted + other.accepted,
            self.unchanged + other.unchanged,
            self.rejected + other.rejected,
            self.postponed + other.postponed,
        )

    def give_up(self) -> None:
        """Reject what was postponed."""
        self.rejected += [rejected for _, rejected in self.postponed]
        self.postponed.clear()

    def judge[Kind: msgspec.Struct](self, entry: Numbered[Kind], store: Callable[[Kind], bool]) -> None:
        """Store one line with a function that tells whether it changed anything, or raises ValueError to refuse it."""
        try:
            is_changed = store(entry.line)
        except ValueError as error:
            code = error.code if isinstance(error, RejectedLine) else RejectedLine.code
            self.rejected.append(Rejected(entry.number, str(error), code))
        else:
            self.count(is_changed=is_changed)

    def count(self, *, is_changed: bool) -> None:
        """Count a line that was stored, or was stored before."""
        if is_changed:
            self.accepted += 1
        else:
            self.unchanged += 1


class Importing(NamedTuple):
    """What all batches of an import share."""

    at: datetime
    references: References
    author: User | None = None

    def owners(self, identifiers: Sequence[str]) -> dict[str, Owner]:
        """The organizations that lines name, as far as they exist."""
        return self.references.organizations(identifiers)


type Lines = Sequence[Numbered[Any]]
type Store = Callable[[Lines, Importing], Verdicts]


def store_lines(store: Store, lines: Lines, importing: Importing) -> Verdicts:
    """Store a batch; when the database refuses it, halve it until only the line that is to blame is left out."""
    try:
        return run_in_transaction(lambda: store(lines, importing), before_retry=lambda: forget(importing))
    except (IntegrityError, DataError) as error:
        forget(importing)
        if len(lines) == 1:
            return Verdicts(rejected=[Rejected(lines[0].number, f"The database refuses it: {error}")])
    half = len(lines) // 2
    return store_lines(store, lines[:half], importing) + store_lines(store, lines[half:], importing)


def forget(importing: Importing) -> None:
    """Look at the database afresh."""
    importing.references.forget()
    forget_partitions()


def find_owner(owners: dict[str, Owner], identifier: str) -> Owner:
    """The organization that a line names. Raises UnknownReference."""
    owner = owners.get(identifier)
    if owner is None:
        raise UnknownReference(f"Unknown organization: {identifier!r:.120}.")
    return owner


def read_field[Result](field: str, read: Callable[[str], Result], text: str) -> Result:
    """Read the text of a field with a function of the domain, whose sentence then begins with the field."""
    try:
        return read(text)
    except ValueError as error:
        raise InvalidField(f"{field}: {error}") from error
