"""Product management as order processing sees it: an answer, or `Unavailable`."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx

TIMEOUT = 2.0  # seconds for each step; an answer that is late is one that nobody knows
HOLD = 60  # seconds that stock waits for a decision


class Unavailable(Exception):
    """Nobody knows whether it was done. All of this may be asked again."""


class RemoteProducts:
    """Reservations over HTTP, each under its order's id."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT)

    def reserve(self, order_id: UUID, lines: dict[int, int]) -> str:
        """Hold stock; return held, refused, or how an earlier reservation of this order ended."""
        headers = {"Idempotency-Key": str(order_id)}
        return self._standing("/reservations", headers=headers, json={"lines": lines, "hold": HOLD})

    def confirm(self, order_id: UUID) -> str:
        """Take what is held; return confirmed, or released if the hold had ended."""
        return self._standing(f"/reservations/{order_id}/confirmed")

    def release(self, order_id: UUID) -> str:
        """Give back what may be held, now or when a request that is still on its way arrives."""
        return self._standing(f"/reservations/{order_id}/released")

    def available(self) -> dict[int, int] | None:
        """Return units by product, None if they cannot be had now."""
        try:
            answer = self._http.get("/products").raise_for_status()
        except httpx.HTTPError:
            return None
        return {product["id"]: product["available"] for product in answer.json()}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _standing(self, path: str, **request: Any) -> str:
        try:
            answer = self._http.post(path, **request)
        except httpx.TransportError as error:
            raise Unavailable(repr(error)) from None
        with suppress(ValueError, KeyError, TypeError):
            if answer.status_code in {200, 409}:
                return str(answer.json()["status"])
        raise Unavailable(f"{answer.status_code} {answer.text}")
