#!/usr/bin/env python
"""The command line of Unified Invoicing."""

import os
import sys

SELF_CONTAINED_COMMANDS = {"demo", "serve"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # These two serve a person on this machine over plain HTTP; every other command keeps production's settings.
    if len(sys.argv) > 1 and sys.argv[1] in SELF_CONTAINED_COMMANDS:
        os.environ.setdefault("DEBUG", "true")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
