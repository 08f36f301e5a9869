"""Make a token of the customers' API for a member."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from organizations.models import User
from organizations.usecases.create_member_token import TokenRefused, create_member_token


class Command(BaseCommand):
    """Prints the token, which is shown this once."""

    help = "Make a token with which a program uses the customers' API (/v4/billing) as a member, and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define what the command takes."""
        parser.add_argument("email", help="who the program acts for")
        parser.add_argument("--name", default="create_member_token", help="what uses it")
        parser.add_argument("--days", type=int, metavar="N", help="after how many days it expires; by default never")
        parser.add_argument(
            "--downloads-only", action="store_true", help="it opens documents and nothing else, also in an address"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        at = timezone.now()
        if (days := options["days"]) is not None and not 1 <= days <= 36_500:
            raise CommandError("--days takes a number from 1 to 36500.")
        user = User.objects.filter(email__iexact=options["email"].replace("\0", ""), is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {options['email']}.")
        try:
            made = create_member_token(
                user=user,
                name=options["name"],
                at=at,
                expires_at=None if days is None else at + timedelta(days=days),
                downloads_only=options["downloads_only"],
            )
        except TokenRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(made.token)
