"""What the provider does with a charge and a refund, besides answering late.

The token decides: `tok_declined` is declined; `tok_timeout` is charged, and then no answer comes
in time; any other that the provider does not know is declined. No token means the card on file.
"""

import json
import random
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from sandbox_gateway.settings import Settings
from sandbox_gateway.store import Charge, Store

SUCCEEDING = ("", "tok_success", "tok_timeout")
HANGING = "tok_timeout"


class KeyReused(Exception):
    """The key came before with another request."""


class Provider:
    """Charges, refunds and says what became of them.

    Args:
        sleep: how time passes; the tests have a quicker way.
    """

    def __init__(
        self, settings: Settings, store: Store, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = settings
        self._store = store
        self._sleep = sleep
        self._random = random.Random()  # noqa: S311 - chance, not secrecy

    def charge(self, key: str, wanted: dict[str, Any]) -> Charge:
        """Charge once per key; the same key again gives the same result at once.

        Raises:
            KeyReused: the key belongs to another request.
        """
        self._dawdle()
        token = wanted["token"]
        status = "succeeded" if token in SUCCEEDING else "declined"
        told = "payment.succeeded" if status == "succeeded" else "payment.failed"
        request = json.dumps(wanted, sort_keys=True)
        charge, is_new = self._store.charge(
            key,
            request=request,
            status=status,
            amount=wanted["amount"],
            currency=wanted["currency"],
            metadata=wanted["metadata"],
            deliveries=self._events(told, wanted["metadata"]),
        )
        if charge.request != request:
            raise KeyReused
        if is_new and token == HANGING:
            self._sleep(self._settings.hang)
        return charge

    def status(self, name: str) -> Charge | None:
        """Return the charge of this id or under this key, None if there is none."""
        self._dawdle()
        return self._store.find(name)

    def refund(self, name: str) -> Charge | None:
        """Send the money back, once; None if there is no such charge."""
        self._dawdle()
        charge = self._store.find(name)
        if charge is None:
            return None
        events = self._events("payment.refunded", charge.metadata)
        return self._store.refund(charge.key, deliveries=events)

    def _dawdle(self) -> None:
        self._sleep(self._random.uniform(*self._settings.latency))

    def _events(self, kind: str, metadata: dict[str, Any]) -> list[tuple[str, float]]:
        """Return an event, perhaps twice or never, each time at a moment of its own."""
        if not self._settings.webhook_url or self._random.random() < self._settings.losses:
            return []
        body = json.dumps({"id": f"evt_{uuid4().hex}", "type": kind, "data": metadata})
        times = 2 if self._random.random() < self._settings.duplicates else 1
        spread = self._settings.spread
        return [(body, time.time() + self._random.uniform(0, spread)) for _ in range(times)]
