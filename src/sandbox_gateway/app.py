"""The provider's HTTP interface.

POST /charges                an Idempotency-Key header, and {amount, currency, token, metadata}
GET  /charges/{id}           what became of it; by its key too
POST /charges/{id}/refund    all of it goes back
GET  /ledger                 for tests: how often each key was charged
GET  /health/ready           needs no key

201 charged · 200 known, refunded · 402 declined · 401 · 404 · 409 not refundable · 422
"""

import hmac
import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from sandbox_gateway.provider import KeyReused, Provider
from sandbox_gateway.store import Charge, Store

Answer: TypeAlias = tuple[int, dict[str, Any]]
StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], object]

REASONS = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    404: "Not Found",
    409: "Conflict",
    422: "Unprocessable Content",
}
CHARGE = re.compile(r"/charges/([A-Za-z0-9_-]{1,255})")
REFUND = re.compile(r"/charges/([A-Za-z0-9_-]{1,255})/refund")
KEY = re.compile(r"[A-Za-z0-9_-]{1,255}")
AMOUNT = re.compile(r"[0-9]{1,18}\.[0-9]{2}")
CURRENCY = re.compile(r"[A-Z]{3}")
LARGEST_BODY = 16_384  # bytes


class Application:
    """The interface as a WSGI application."""

    def __init__(self, provider: Provider, store: Store, *, key: str) -> None:
        self._provider = provider
        self._store = store
        self._key = key.encode()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        status, content = self._answer(environ)
        body = json.dumps(content).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status} {REASONS[status]}", headers)
        return [body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if path == "/health/ready":
            return 200, {"status": "ok"}
        given = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        if not self._key or not hmac.compare_digest(given.encode(), self._key):
            return 401, {"error": "unauthorized"}
        if (method, path) == ("POST", "/charges"):
            return self._charge(environ)
        if (method, path) == ("GET", "/ledger"):
            return 200, {"charges": self._store.ledger()}
        return self._about_one(method, path)

    def _about_one(self, method: str, path: str) -> Answer:
        if method == "GET" and (match := CHARGE.fullmatch(path)):
            return _shown(self._provider.status(match[1]), known=200)
        if method == "POST" and (match := REFUND.fullmatch(path)):
            return _shown(self._provider.refund(match[1]), known=200, declined=409)
        return 404, {"error": "not_found"}

    def _charge(self, environ: dict[str, Any]) -> Answer:
        key = environ.get("HTTP_IDEMPOTENCY_KEY", "")
        wanted = _wanted(environ)
        if not KEY.fullmatch(key) or wanted is None:
            return 400, {"error": "invalid_request"}
        try:
            return _shown(self._provider.charge(key, wanted), known=201, declined=402)
        except KeyReused:
            return 422, {"error": "key_reused"}


def _wanted(environ: dict[str, Any]) -> dict[str, Any] | None:
    """Return the charge that the body asks for, None if it makes no sense."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    try:
        body = json.loads(environ["wsgi.input"].read(min(length, LARGEST_BODY)))
        wanted = {name: body[name] for name in ("amount", "currency", "token", "metadata")}
    except (ValueError, KeyError, TypeError):
        return None
    texts = all(isinstance(wanted[name], str) for name in ("amount", "currency", "token"))
    if not texts or not isinstance(wanted["metadata"], dict):
        return None
    sound = AMOUNT.fullmatch(wanted["amount"]) and CURRENCY.fullmatch(wanted["currency"])
    return wanted if sound else None


def _shown(charge: Charge | None, *, known: int, declined: int | None = None) -> Answer:
    if charge is None:
        return 404, {"error": "not_found"}
    status = declined if declined and charge.status == "declined" else known
    return status, {
        "id": charge.id,
        "key": charge.key,
        "status": charge.status,
        "amount": charge.amount,
        "currency": charge.currency,
    }
