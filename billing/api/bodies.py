"""Reading the body of a request: plain or gzip, with or without an announced length, never more than a limit.

Whatever a client sends, no more of it is held than the limit allows, also while unpacking.
"""

import zlib
from collections.abc import Callable

from django.http import HttpRequest

from billing.api.problems import Problem

CHUNK_BYTES = 1 << 16
MIB = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS


def read_body(request: HttpRequest, *, media_types: tuple[str, ...], limit: int) -> tuple[bytes, str]:
    """The body, unpacked, and its media type. Raises Problem 400, 411, 413, 415."""
    media_type = (request.content_type or "").lower()
    if media_type not in media_types:
        raise Problem(415, "unsupported_media_type", f"Send {' or '.join(media_types)}, not {media_type!r:.60}.")
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        sentence = f"The body may be packed with gzip, not with {encoding!r:.40}."
        raise Problem(415, "unsupported_encoding", sentence, headers={"Accept-Encoding": "gzip, identity"})
    read, length = _source(request, limit)
    raw = _gunzip(read, limit) if encoding == "gzip" else _read_all(read, limit)
    if length is not None and read(1):
        raise _too_large(limit)
    return raw, media_type


def _source(request: HttpRequest, limit: int) -> tuple[Callable[[int], bytes], int | None]:
    """How to read the body, and how long it says to be."""
    if "Transfer-Encoding" in request.headers and "Content-Length" not in request.headers:
        # A server that knows where such a body ends says so; Django itself takes it for empty.
        if not request.META.get("wsgi.input_terminated"):
            raise Problem(411, "length_required", "Send Content-Length: this server takes no chunked body.")
        return request.META["wsgi.input"].read, None
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not (announced.isascii() and announced.isdecimal()):
        raise Problem(400, "malformed_length", "Content-Length is not a number.")
    length = int(announced[:20])
    if length > limit:
        raise _too_large(limit)
    return _exactly(request.read, length), length


def _exactly(read: Callable[[int], bytes], length: int) -> Callable[[int], bytes]:
    """Refuse a body that ends before its announced length."""
    left = length

    def read_some(size: int) -> bytes:
        nonlocal left
        chunk = read(min(size, left)) if left else b""
        if not chunk and left:
            raise Problem(400, "incomplete_body", "The body ended before its announced length.")
        left -= len(chunk)
        return chunk

    return read_some


def _read_all(read: Callable[[int], bytes], limit: int) -> bytes:
    body = bytearray()
    while chunk := read(CHUNK_BYTES):
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def _gunzip(read: Callable[[int], bytes], limit: int) -> bytes:
    """Unpack while reading, one member after the other, and stop at the limit: a bomb goes off nowhere."""
    body, taken = bytearray(), 0
    unpacker = zlib.decompressobj(_GZIP)
    try:
        while chunk := read(CHUNK_BYTES):
            taken += len(chunk)
            if taken > limit:
                raise _too_large(limit)
            while chunk:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(_GZIP)
                body += unpacker.decompress(chunk, limit + 1 - len(body))
                if len(body) > limit:
                    raise _too_large(limit)
                chunk = unpacker.unconsumed_tail or unpacker.unused_data
    except zlib.error as error:
        raise Problem(400, "malformed_gzip", "The body is not valid gzip.") from error
    if not unpacker.eof:
        raise Problem(400, "malformed_gzip", "The packed body ends too early.")
    return bytes(body)


def _too_large(limit: int) -> Problem:
    return Problem(413, "body_too_large", f"A body holds at most {limit // MIB} MiB here, unpacked.")
