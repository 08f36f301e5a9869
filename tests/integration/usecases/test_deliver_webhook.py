"""Messages over real connections: what listens, what does not, and what only pretends to."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from billing.usecases import deliver_webhook as module
from billing.usecases.deliver_webhook import NotDelivered, deliver_webhook


@pytest.fixture(autouse=True)
def private_is_allowed(settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = True


class Receiver(BaseHTTPRequestHandler):
    """Answers as its path says, and remembers what it got."""

    got: list[tuple[str, bytes, dict[str, str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, body, {name.lower(): value for name, value in self.headers.items()}))
        status = int(self.path.strip("/").partition("?")[0] or 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/200")
        self.end_headers()
        self.wfile.write(b"x" * 1_000_000)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.got = []
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def raw() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A server that does with a connection whatever a test says."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(answer: Callable[[socket.socket], None]) -> str:
        def run() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    answer(connection)
                except OSError:
                    return

        Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"

    yield serve
    listening.close()


def test_the_message_arrives_as_it_is(receiver: str) -> None:
    assert deliver_webhook(f"{receiver}/204?a=b%20c", b'{"a": "\xc3\xa9"}', {"webhook-id": "evt_1"}) == 204
    ((path, body, headers),) = Receiver.got
    assert (path, body) == ("/204?a=b%20c", b'{"a": "\xc3\xa9"}')
    assert headers["webhook-id"] == "evt_1"
    assert headers["host"] == receiver.removeprefix("http://")


@pytest.mark.parametrize("status", [200, 302, 404, 410, 500])
def test_the_answer_is_its_status_and_nobody_is_redirected(status: int, receiver: str) -> None:
    assert deliver_webhook(f"{receiver}/{status}", b"{}", {}) == status
    assert len(Receiver.got) == 1


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(NotDelivered, match="No connection"):
        deliver_webhook(f"http://127.0.0.1:{port}/", b"{}", {})


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a" * 70_000]
)
def test_what_is_no_http(said: bytes, raw: Any) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(said)

    with pytest.raises(NotDelivered):
        deliver_webhook(raw(answer), b"{}", {})


def test_an_answer_drop_by_drop_holds_up_nobody(raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.5)

    def answer(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(100):
            time.sleep(0.1)
            connection.sendall(b"x-%d: y\r\n" % number)

    began = time.monotonic()
    with pytest.raises(NotDelivered):
        deliver_webhook(raw(answer), b"{}", {})
    assert time.monotonic() - began < 3


def test_a_greeting_drop_by_drop_holds_up_nobody(raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.5)

    def answer(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a TLS record of 16,384 bytes is to come
        for _ in range(60):
            time.sleep(0.1)
            connection.sendall(b"\x02")

    began = time.monotonic()
    with pytest.raises(NotDelivered, match="No secure connection"):
        deliver_webhook(raw(answer).replace("http://", "https://"), b"{}", {})
    assert time.monotonic() - began < 3


def test_a_certificate_that_nobody_trusts(raw: Any) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # a TLS alert: no common ground

    url = raw(answer).replace("http://", "https://")
    with pytest.raises(NotDelivered, match="No secure connection"):
        deliver_webhook(url, b"{}", {})
    assert module._context().verify_mode == ssl.CERT_REQUIRED
    assert module._context().check_hostname


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254"]]
)
def test_a_name_that_leads_into_a_private_network(
    addresses: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(NotDelivered, match="private network"):
        deliver_webhook("https://books.example.org/", b"{}", {})


def test_the_address_that_was_looked_at_is_connected_to(receiver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(receiver.rpartition(":")[2])
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **options: Any) -> Any:
        asked.append(host)
        name = host if host != "books.example.org" else "127.0.0.1" if asked.count(host) == 1 else "192.0.2.1"
        return real(name, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert deliver_webhook(f"http://books.example.org:{port}/200", b"{}", {}) == 200
    assert asked.count("books.example.org") == 1
    assert Receiver.got[0][2]["host"] == f"books.example.org:{port}"


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(NotDelivered, match="name is not known"):
        deliver_webhook("https://nowhere.example.org/", b"{}", {})
