"""Signatures, back-off and addresses of webhooks."""

import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.webhooks import BACK_OFF, TRIED_FOR, is_public, next_attempt, pause_after, sign

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
# The example of the Standard Webhooks specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'


def test_a_known_message_has_the_known_signature() -> None:
    assert sign(ID, TIMESTAMP, BODY, [SECRET]) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


KEYS = st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=3)


@given(st.binary(max_size=200), st.integers(0, 2**40), KEYS)
def test_a_receiver_with_any_of_the_secrets_can_check_it(body: bytes, timestamp: int, keys: list[bytes]) -> None:
    secrets = ["whsec_" + b64encode(key).decode() for key in keys]
    signatures = sign("evt_1", timestamp, body, secrets).split(" ")
    assert len(signatures) == len(keys)
    for key in keys:
        expected = hmac.digest(key, b"evt_1.%d.%s" % (timestamp, body), sha256)
        assert expected in [b64decode(each.removeprefix("v1,")) for each in signatures]


@given(st.floats(0, 1, exclude_max=True))
def test_a_message_is_tried_for_about_three_days_and_later_and_later(chance: float) -> None:
    waits: list[timedelta] = []
    at, until = NOW, NOW + TRIED_FOR
    while again := next_attempt(len(waits) + 1, try_until=until, at=at, chance=chance):
        waits.append(again - at)
        at = again
    assert waits == sorted(waits)
    assert waits[0] >= BACK_OFF[0]
    assert timedelta(days=2) < at - NOW <= TRIED_FOR
    assert 8 <= len(waits) <= 20


def test_an_endpoint_that_fails_rests_longer_and_longer() -> None:
    rests = [pause_after(failures, NOW) - NOW for failures in range(1, 8)]
    assert rests == sorted(rests)
    assert rests[0] == timedelta(0)  # one message may be the wrong one
    assert rests[-1] == timedelta(minutes=5)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1"),
        *("169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.5"),
        *("224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "ff02::1", "2001:db8::1", "100::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
        *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "::ffff:169.254.169.254", "fec0::1"),
    ],
)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(address)
