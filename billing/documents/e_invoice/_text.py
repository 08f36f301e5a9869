"""Text and figures as XML may hold them."""

import re

from billing.domain.quantities import format_micro

# XML 1.0 has no control characters and no surrogates, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BLANKS = re.compile(r"\s+")


def clean(text: str) -> str:
    """One line of text that every XML document may hold."""
    return _BLANKS.sub(" ", _NOT_XML.sub(" ", text)).strip()


def compact(text: str) -> str:
    """An identifier without the blanks that people group its characters with."""
    return _BLANKS.sub("", _NOT_XML.sub("", text))


def percent(rate_bp: int) -> str:
    """A rate in basis points as a plain decimal: 850 is "8.5"."""
    return format_micro(rate_bp * 10_000)
