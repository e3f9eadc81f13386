"""Whose messages of the payment gateway are believed."""

import hmac
import time
from datetime import timedelta

import pytest

from shop.payments.errors import InvalidSignature, SignatureExpired
from shop.payments.signatures import sign, verify

SECRET = "a secret of the gateway"
BODY = '{"id": "evt_1", "ä": 1}'.encode()
TOLERANCE = timedelta(seconds=300)


def check(header: str, body: bytes = BODY, secret: str = SECRET) -> None:
    verify(body, header=header, secret=secret, tolerance=TOLERANCE)


def now(offset: int = 0) -> int:
    return int(time.time()) + offset


def test_the_signature_is_what_the_header_promises() -> None:
    digest = hmac.new(SECRET.encode(), b"1700000000." + BODY, "sha256").hexdigest()
    assert sign(BODY, secret=SECRET, at=1700000000) == f"t=1700000000,v1={digest}"


@pytest.mark.parametrize("offset", [0, -290, 290])
def test_a_good_signature_of_these_minutes_is_believed(offset: int) -> None:
    check(sign(BODY, secret=SECRET, at=now(offset)))


@pytest.mark.parametrize("offset", [-310, 310, -100_000])
def test_a_good_signature_of_another_time_is_not(offset: int) -> None:
    with pytest.raises(SignatureExpired) as caught:
        check(sign(BODY, secret=SECRET, at=now(offset)))
    assert (caught.value.status, caught.value.code) == (400, "signature_expired")


def test_while_the_secret_changes_one_good_signature_suffices() -> None:
    at, good = sign(BODY, secret=SECRET, at=now()).split(",")
    check(f"{at}, v1=00, {good}")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        "t=,v1=",
        "v1=00",
        f"t={now()}",
        f"t={now()},v1=",
        f"t={now()},v1=00",
        f"t={now()},v1=ä",
        f"t={now()},v1=\udcff".encode("utf-8", "replace").decode(),
        f"t={'9' * 5000},v1=00",
        f"t=-{now()},v1=00",
        "t=٣,v1=00",
        sign(BODY, secret="another", at=now()),
        sign(BODY + b" ", secret=SECRET, at=now()),
        sign(BODY, secret=SECRET, at=now()).replace("v1=", "v0="),
        sign(BODY, secret=SECRET, at=now()).replace("t=1", "t=2"),
    ],
)
def test_anything_else_is_refused(header: str) -> None:
    with pytest.raises(InvalidSignature) as caught:
        check(header)
    assert (caught.value.status, caught.value.code) == (401, "invalid_signature")


def test_without_a_secret_nobody_is_believed_not_even_who_signs_with_none() -> None:
    with pytest.raises(InvalidSignature):
        check(sign(BODY, secret="", at=now()), secret="")


def test_a_wrong_signature_is_not_told_that_its_time_is_wrong_too() -> None:
    with pytest.raises(InvalidSignature):
        check(sign(BODY, secret="another", at=1))
