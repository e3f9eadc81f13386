"""Tells the shop of what happened until it listens.

An event leaves the file when the shop has taken it: a provider that is killed sends it again. The
header is that of `shop.payments.signatures`, written a second time on purpose: two parties that
share the code would share its mistakes.
"""

import hmac
import logging
import threading
import time
import urllib.error
import urllib.request
from hashlib import sha256

from sandbox_gateway.settings import Settings
from sandbox_gateway.store import Delivery, Store

MOST_ATTEMPTS = 12  # with the growing pauses, about half an hour
LONGEST_PAUSE = 300.0  # seconds
PATIENCE = 10.0  # seconds for one attempt
IDLE = 0.1  # seconds between two looks into the file

logger = logging.getLogger(__name__)


class Sender:
    """A thread that sends what is due."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def start(self) -> None:
        """Begin to send, for as long as the process lives."""
        threading.Thread(target=self._run, name="webhooks", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                sent = self.send_due()
            except Exception:  # this thread must outlive everything
                logger.exception("events could not be sent")
                sent = 0
            if not sent:
                time.sleep(IDLE)

    def send_due(self) -> int:
        """Send every event that is due, once; return how many there were."""
        due = self._store.due(time.time())
        for delivery in due:
            if self._is_taken(delivery) or delivery.attempts + 1 >= MOST_ATTEMPTS:
                self._store.delivered(delivery.number)
            else:
                pause = min(0.5 * 2.0**delivery.attempts, LONGEST_PAUSE)
                self._store.postpone(delivery.number, due=time.time() + pause)
        return len(due)

    def _is_taken(self, delivery: Delivery) -> bool:
        body = delivery.body.encode()
        request = urllib.request.Request(  # noqa: S310 - the operator's own address
            self._settings.webhook_url,
            data=body,
            headers={
                "Content-Type": "application/json",
                "Webhook-Signature": signature(body, self._settings.webhook_secret),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310
                return True
        except (OSError, urllib.error.URLError) as error:
            logger.warning("the shop did not take an event: %s", error)
            return False


def signature(body: bytes, secret: str) -> str:
    """Return the header of a body that is signed now."""
    at = int(time.time())
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={digest}"
