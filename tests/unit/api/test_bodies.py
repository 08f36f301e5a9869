"""Bodies as servers hand them over: with and without an announced length, cut off, endless."""

import gzip
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest

from billing.api.bodies import read_body
from billing.api.problems import Problem

LIMIT = 1 << 20


class Endless:
    """A client that never stops sending."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk, self.sent = chunk, 0

    def readline(self) -> bytes:  # Django looks for it
        raise NotImplementedError

    def read(self, size: int) -> bytes:
        self.sent += size
        return self.chunk * (size // len(self.chunk))


def read(stream: object, **environ: Any) -> bytes:
    request = WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/api/usage",
            "CONTENT_TYPE": "application/json",
            "wsgi.input": stream,
            **environ,
        }
    )
    return read_body(request, media_types=("application/json",), limit=LIMIT)[0]


CHUNKED: dict[str, Any] = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
PACKED: dict[str, Any] = {"HTTP_CONTENT_ENCODING": "gzip"}


def test_a_body_of_announced_length_is_read_and_what_follows_is_not() -> None:
    assert read(BytesIO(b"[1][2]"), CONTENT_LENGTH="3") == b"[1]"
    assert read(BytesIO(b"[1]")) == b""


def test_a_body_in_chunks_is_read_to_its_end() -> None:
    assert read(BytesIO(b"[1]"), **CHUNKED) == b"[1]"
    assert read(BytesIO(gzip.compress(b"[1]") + gzip.compress(b"[2]")), **CHUNKED, **PACKED) == b"[1][2]"


@pytest.mark.parametrize(
    ("stream", "environ", "status", "code"),
    [
        (BytesIO(b"[1]"), {"CONTENT_LENGTH": "17"}, 400, "incomplete_body"),
        (BytesIO(b"[1]"), {"CONTENT_LENGTH": str(LIMIT + 1)}, 413, "body_too_large"),
        (BytesIO(b"[1]"), {"HTTP_TRANSFER_ENCODING": "chunked"}, 411, "length_required"),
        (Endless(b"1,"), CHUNKED, 413, "body_too_large"),
        (Endless(gzip.compress(b"")), CHUNKED | PACKED, 413, "body_too_large"),
        (Endless(gzip.compress(b" " * LIMIT)), CHUNKED | PACKED, 413, "body_too_large"),
    ],
)
def test_what_is_not_read(stream: object, environ: dict[str, Any], status: int, code: str) -> None:
    with pytest.raises(Problem) as refused:
        read(stream, **environ)
    assert (refused.value.status, refused.value.code) == (status, code)
    if isinstance(stream, Endless):
        assert stream.sent < 2 * LIMIT + (1 << 17)
