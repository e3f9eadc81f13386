"""One attempt to tell one endpoint."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Self

import httpx

from shop.payments.signatures import sign
from shop.webhooks.addresses import resolve
from shop.webhooks.errors import UnsafeAddress

DEADLINE = 10.0  # seconds, from looking the name up to the end of the answer's head

# A look-up cannot be cut off, only left behind: as many as are left behind hold up those to come.
_lookups = ThreadPoolExecutor(max_workers=8, thread_name_prefix="look-up")


class Attempt(NamedTuple):
    """What came of an attempt; `status` is None when no answer came."""

    status: int | None
    ms: int
    error: str
    was_made: bool = True

    @classmethod
    def unmade(cls, reason: str) -> Self:
        """Return an attempt for which nobody was asked."""
        return cls(None, 0, reason, was_made=False)

    @property
    def is_taken(self) -> bool:
        """Whether the endpoint has taken the event: any 2xx. A redirect is not followed."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """taken, refused, unanswered or unasked, for the metrics."""
        if self.status is not None:
            return "taken" if self.is_taken else "refused"
        return "unanswered" if self.was_made else "unasked"

    @property
    def line(self) -> dict[str, Any]:
        """What a delivery remembers of it."""
        return {"status": self.status, "ms": self.ms, "error": self.error}


def send(*, url: str, secret: str, body: bytes, headers: dict[str, str]) -> Attempt:
    """Post a body to an address, signed now; whatever goes wrong is part of the answer.

    The signature is that of our own gateway's events: ``Webhook-Signature: t=…,v1=…``, see
    `shop.payments.signatures`. All of it takes DEADLINE at most, however slowly the endpoint
    sends what.
    """
    started = time.monotonic()
    status, error = None, ""
    try:
        status = asyncio.run(_post(url, body, headers | _signature(body, secret)))
    except TimeoutError:
        error = f"No answer within {DEADLINE:g} s."
    except UnsafeAddress as refusal:
        error = refusal.detail
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        error = f"{type(failure).__name__}: {failure}"
    return Attempt(status, round((time.monotonic() - started) * 1000), error[:200])


def _signature(body: bytes, secret: str) -> dict[str, str]:
    return {"Webhook-Signature": sign(body, secret=secret, at=int(time.time()))}


async def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    async with asyncio.timeout(DEADLINE):
        place = await asyncio.get_running_loop().run_in_executor(_lookups, resolve, url)
        target = httpx.URL(url)
        # The address that was checked is connected to; the name is for the certificate and the
        # host.
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None) as client,  # noqa: S113 - asyncio.timeout
            client.stream(
                "POST",
                target.copy_with(host=place.address),
                content=body,
                headers={
                    **headers,
                    "Host": target.netloc.decode(),
                    "Content-Type": "application/json",
                },
                extensions={"sni_hostname": place.host},
            ) as answer,  # its body is not read: it may have no end
        ):
            return answer.status_code
