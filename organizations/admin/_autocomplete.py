"""Choosing a row among many: what was chosen is shown again when a form is refused."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect

LARGEST_KEY = 2**63 - 1


class KeyAutocomplete(AutocompleteSelect):
    """Looks up only what can be a key: the field has refused anything else, and its sentence is to be shown."""

    def optgroups(self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None) -> Any:
        """Return the chosen row as an option."""
        return super().optgroups(name, [key for key in value if not key or is_key(key)], attrs)


def look_up_keys_only(field: Any) -> Any:
    """Make the field of a relation careful about what it looks up, if it completes what is typed."""
    if field is not None and type(field.widget) is AutocompleteSelect:
        field.widget.__class__ = KeyAutocomplete
    return field


def is_key(text: object) -> bool:
    """Whether what came with a request can be the key of a row."""
    digits = str(text)
    return digits.isascii() and digits.isdecimal() and len(digits) <= 19 and int(digits) <= LARGEST_KEY
