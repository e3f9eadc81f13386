"""One attempt to tell one endpoint."""

import time
from typing import NamedTuple

import httpx

from shop.payments.signatures import sign
from shop.webhooks.addresses import resolve
from shop.webhooks.errors import UnsafeAddress

PATIENCE = 5.0  # seconds, for each step: connecting, sending, the beginning of the answer


class Attempt(NamedTuple):
    """What came of an attempt; `status` is None when no answer came."""

    status: int | None
    ms: int
    error: str

    @property
    def is_taken(self) -> bool:
        """Whether the endpoint has taken the event: any 2xx. A redirect is not followed."""
        return self.status is not None and 200 <= self.status < 300


def send(*, url: str, secret: str, body: bytes, headers: dict[str, str]) -> Attempt:
    """Post a body to an address, signed now; whatever goes wrong is part of the answer.

    The signature is that of our own gateway's events: ``Webhook-Signature: t=…,v1=…``, see
    `shop.payments.signatures`.
    """
    started = time.monotonic()
    status, error = None, ""
    try:
        status = _post(url, body, headers | _signature(body, secret))
    except UnsafeAddress as refusal:
        error = refusal.detail
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        error = f"{type(failure).__name__}: {failure}"
    return Attempt(status, round((time.monotonic() - started) * 1000), error[:200])


def _signature(body: bytes, secret: str) -> dict[str, str]:
    return {"Webhook-Signature": sign(body, secret=secret, at=int(time.time()))}


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    place = resolve(url)
    target = httpx.URL(url)
    # The address that was checked is connected to; the name is for the certificate and the host.
    with (
        httpx.Client(trust_env=False, follow_redirects=False, timeout=PATIENCE) as client,
        client.stream(
            "POST",
            target.copy_with(host=place.address),
            content=body,
            headers={**headers, "Host": target.netloc.decode(), "Content-Type": "application/json"},
            extensions={"sni_hostname": place.host},
        ) as answer,  # its body is not read: it may have no end
    ):
        return answer.status_code
