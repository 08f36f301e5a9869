"""The hash chain of issued documents: whoever changes one of them has to change all that follow."""

from hashlib import sha256


def chained_hash(previous_hash: str, content: bytes) -> str:
    """SHA-256, in hexadecimal, of a document's content and of the hash before it; "" before the first."""
    return sha256(previous_hash.encode() + b"\n" + content).hexdigest()
