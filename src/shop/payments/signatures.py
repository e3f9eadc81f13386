"""Messages of the payment gateway, signed with a secret that it shares with us.

``Webhook-Signature: t=<unix seconds>,v1=<hex>``, where ``v1`` is the HMAC-SHA256, under the
secret, of ``t``, a full stop, and the body's bytes. While a secret is being changed, a header may
hold several ``v1``.
"""

import hmac
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from shop.payments.errors import InvalidSignature, SignatureExpired

SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def sign(body: bytes, *, secret: str, at: int) -> str:
    """Return the header of a body that is signed at this moment (seconds since 1970)."""
    return f"t={at},v1={_digest(body, secret, str(at))}"


def verify(body: bytes, *, header: str, secret: str, tolerance: timedelta) -> None:
    """Check who signed this body, and when.

    Args:
        secret: what is shared with the gateway; without one, nothing is believed.
        tolerance: how far the signature's time may be from ours, before and after.

    Raises:
        InvalidSignature: it is not signed, or not with this secret.
        SignatureExpired: the signature is good, its time is not.
    """
    parts = list(_parts(header))
    at = next((value for name, value in parts if name == "t"), "")
    if not secret or not SECONDS.fullmatch(at):
        raise InvalidSignature("The Webhook-Signature header is missing or not acceptable.")
    expected = _digest(body, secret, at).encode()
    given = [value.encode() for name, value in parts if name == "v1"]
    matches = [hmac.compare_digest(expected, one) for one in given]  # each in constant time
    if not any(matches):
        raise InvalidSignature("The Webhook-Signature header is missing or not acceptable.")
    if abs(time.time() - int(at)) > tolerance.total_seconds():
        raise SignatureExpired("This message was signed too long ago, or by a wrong clock.")


def _parts(header: str) -> Iterator[tuple[str, str]]:
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        yield name, value


def _digest(body: bytes, secret: str, at: str) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
