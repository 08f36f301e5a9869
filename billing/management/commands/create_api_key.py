"""Make a key of the platform API."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.queries.scope_words import SCOPE_WORDS
from billing.usecases.create_api_key import KeyRefused, create_api_key
from organizations.models import Organization


class Command(BaseCommand):
    """Prints the key, which is shown this once."""

    help = "Make a key of the platform API and print it: " + "; ".join(
        f"{scope} may {what}" for scope, what in SCOPE_WORDS.items()
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define what the command takes."""
        parser.add_argument("--name", required=True, help="who uses it")
        parser.add_argument(
            "--scope", required=True, nargs="+", action="extend", metavar="SCOPE", help="what it may do"
        )
        parser.add_argument("--organization", metavar="ID", help="the only organization that it sees and changes")
        parser.add_argument("--days", type=int, metavar="N", help="after how many days it expires; by default never")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        at = timezone.now()
        if (days := options["days"]) is not None and not 1 <= days <= 36_500:
            raise CommandError("--days takes a number from 1 to 36500.")
        try:
            made = create_api_key(
                name=options["name"],
                scopes=options["scope"],
                organization=self._find(options["organization"]),
                expires_at=None if days is None else at + timedelta(days=days),
                actor=None,
                at=at,
            )
        except KeyRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(made.key)

    @staticmethod
    def _find(identifier: str | None) -> Organization | None:
        if identifier is None:
            return None
        organization = Organization.objects.filter(external_id=identifier).first()
        if organization is None:
            raise CommandError(f"Unknown organization: {identifier}.")
        return organization
