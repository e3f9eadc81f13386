"""JSON over WSGI, no more than the example needs."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

T = TypeVar("T")
ID = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"  # in a route


class BadRequest(Exception):
    """The request cannot be meant."""


class NotThere(Exception):
    """There is no such thing."""


class Request(NamedTuple):
    """What a view is called with; `parts` are what its route has in parentheses."""

    parts: tuple[str, ...]
    key: str
    body: Any

    @property
    def idempotency_key(self) -> UUID:
        """The header of this name: what makes it safe to ask again."""
        try:
            return UUID(self.key)
        except ValueError:
            raise BadRequest("Send an Idempotency-Key that is a UUID.") from None

    def field(self, name: str, kind: Callable[[Any], T]) -> T:
        """Return a member of the body as `kind` makes it."""
        try:
            return kind(self.body[name])
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError):
            raise BadRequest(f"{name} is missing or malformed.") from None


def text(given: Any) -> str:
    """Return a text that is not empty."""
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        raise ValueError(given)
    return given


def money(given: Any) -> Decimal:
    """Return an amount in whole cents, 0 or more, as both services can keep it."""
    amount = Decimal(text(given))
    if not 0 <= amount < 10**10 or amount != round(amount, 2):
        raise ValueError(given)
    return amount


def count(given: Any) -> int:
    """Return how many there are, 1 or more."""
    if type(given) is not int or not 0 < given < 2**31:
        raise ValueError(given)
    return given


def units(given: Any) -> dict[int, int]:
    """Return units by product, of one product at least."""
    if not given:
        raise ValueError(given)
    return {count(int(product)): count(number) for product, number in given.items()}


def seconds(given: Any) -> timedelta:
    """Return a time of 0 seconds or more, at most a day."""
    if isinstance(given, bool) or not 0 <= given <= 86_400:
        raise ValueError(given)
    return timedelta(seconds=given)


Answer = tuple[int, Any]
Routes = Mapping[str, Callable[[Request], Answer]]


class Application:
    """Routes, as "POST /products", and what answers each: a status, and what is told."""

    def __init__(self, routes: Routes) -> None:
        self._routes = {re.compile(route): view for route, view in routes.items()}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        try:
            status, told = self._answer(environ)
        except BadRequest as error:
            status, told = 400, {"error": str(error)}
        except NotThere as error:
            status, told = 404, {"error": str(error)}
        body = json.dumps(told, default=str).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        for route, view in self._routes.items():
            if match := route.fullmatch(asked):
                sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                try:
                    body = json.loads(sent or "null")
                except ValueError:
                    raise BadRequest("The body is not JSON.") from None
                key = environ.get("HTTP_IDEMPOTENCY_KEY", "")
                return view(Request(match.groups(), key, body))
        raise NotThere(f"Nothing answers {asked}.")
