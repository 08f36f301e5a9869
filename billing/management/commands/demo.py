"""One command from nothing: a believable platform with four months of invoicing, served on this machine."""

import os
import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone
from django.utils.translation import override

from billing.demo.people import PEOPLE, change_passwords, let_sign_in, may_sign_in
from billing.demo.timeline import NotADemo, RefusedData, find_months, play
from billing.demo.world import World
from billing.queries.mails import mail_server_note
from billing.queries.months import billing_zone

ORGANIZATIONS = 40
PASSWORD_BYTES = 12


class Command(BaseCommand):
    help = "Load a demo platform, bill its past months and serve it; running it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--organizations", type=int, default=ORGANIZATIONS, metavar="N", help="how many (default: 40)"
        )
        parser.add_argument("--password", metavar="P", help="of the demo users (default: a random one, printed)")
        parser.add_argument("--no-serve", action="store_true", help="stop before serving")
        parser.add_argument("--port", type=int, default=8000, help="port of the web pages (default: 8000)")

    def handle(
        self, *args: Any, organizations: int, password: str | None, no_serve: bool, port: int, **options: Any
    ) -> None:
        if organizations < 1:
            raise CommandError("A platform has at least one organization.")
        lead_links_to(port)
        try:
            self._say("Preparing the database.")
            call_command("migrate", verbosity=0)
            self._set_up(organizations, password)
            self._say(
                f"\nFinance desk:         http://127.0.0.1:{port}/admin/\nPortal for customers: http://127.0.0.1:{port}/\n"
            )
        except KeyboardInterrupt:
            raise CommandError("Stopped. Run it again and it takes up where it was.", returncode=130) from None
        except BrokenPipeError:
            # Whoever read along has left (`| head`); what Python flushes at its end must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise CommandError("Nobody reads any more: stopped. Run it again and it takes up where it was.") from None
        if not no_serve:
            call_command("serve", port=port)

    def _set_up(self, organizations: int, password: str | None) -> None:
        if may_sign_in():
            self.stdout.write("The demo is set up already: nothing was changed.")
            if password is not None:
                change_passwords(password)
            self._print_logins(password or "unchanged (another one: --password)")
            return
        at = timezone.now()
        try:
            months = find_months(at, billing_zone())
            play(World(months, organizations), at=at, say=self._say)
        except (NotADemo, RefusedData) as error:
            raise CommandError(str(error)) from error
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # a database that was filled in one go does not know yet how full it is
        password = password or secrets.token_hex(PASSWORD_BYTES)  # a double click selects all of it
        let_sign_in(password)
        self._print_logins(password)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _print_logins(self, password: str) -> None:
        self.stdout.write("\nSign in as")
        for person in sorted(PEOPLE, key=lambda person: not person.group):
            self.stdout.write(f"  {person.email:<20}{person.task}")
        self.stdout.write(f"  password: {password}")
        with override("en"):
            self.stdout.write(f"\n{mail_server_note()}")


def lead_links_to(port: int) -> None:
    """Have the links of e-mails lead to where the demo is served, unless SITE_URL says otherwise."""
    if "SITE_URL" not in os.environ:
        settings.SITE_URL = f"http://127.0.0.1:{port}"
