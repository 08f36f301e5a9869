"""Collects the texts to translate, also those marked by `_t`, in the layout in which the catalogue is kept."""

from typing import Any

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """`manage.py makemessages -l fr`, then translate, then `manage.py compilemessages`."""

    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=_t"]

    def handle(self, *args: Any, **options: Any) -> None:
        """One line per text, files without line numbers: catalogues then differ only where texts do."""
        options["ignore_patterns"] += [".venv", ".ci", "tests"]
        super().handle(*args, **{**options, "no_wrap": True, "add_location": "file", "no_obsolete": True})
