"""XML as nested calls that read like the document they make; what is empty is left out.

Written as text: a tree would be built only to be written, and that costs ten times as much.
"""

from collections.abc import Mapping
from xml.sax.saxutils import escape

_IN_ATTRIBUTES = {'"': "&quot;"}


def leaf(tag: str, text: str, **attributes: str) -> str:
    """An element with a text; nothing without one. Attributes without a value are left out."""
    if not text:
        return ""
    written = "".join([f' {name}="{escape(value, _IN_ATTRIBUTES)}"' for name, value in attributes.items() if value])
    return f"<{tag}{written}>{escape(text)}</{tag}>"


def node(tag: str, *children: str) -> str:
    """An element with those of its children that are there; nothing without any."""
    content = "".join(children)
    return f"<{tag}>{content}</{tag}>" if content else ""


def kept(tag: str, *children: str) -> str:
    """An element that has to be there even when it is empty."""
    return node(tag, *children) or f"<{tag}/>"


def to_bytes(root: str, namespaces: Mapping[str, str], *children: str) -> bytes:
    """The whole document as UTF-8: a root element that declares the namespaces, by prefix."""
    declared = "".join([f' xmlns{prefix and ":"}{prefix}="{uri}"' for prefix, uri in namespaces.items()])
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{declared}>{"".join(children)}</{root}>\n'
    return document.encode()
