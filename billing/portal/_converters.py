"""Identifiers and numbers in addresses: whatever they are made of, a slash included."""

from urllib.parse import quote, unquote


class TextConverter:
    """One part of an address that stands for any text; only what would end the part is written in another way."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """Read it."""
        return unquote(value)

    def to_url(self, value: str) -> str:
        """Write it."""
        return value.replace("%", quote("%")).replace("/", quote("/", safe=""))
