"""Errors as RFC 9457 problem details, translated from the domain in one place.

DomainError                what a service raises; its class fixes status and code
├── NotFound               404 not_found
├── Conflict               409, subclassed by the apps
│   └── TooManyLines       409 too_many_lines
├── AccountClosed          403 account_closed
└── Unavailable            503 unavailable, with Retry-After

A problem's `code` is stable; `detail` is for people and may change.
"""

import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from shop.core.db import is_unavailable
from shop.core.logging import request_id

CONTENT_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)


class DomainError(Exception):
    """An outcome that the client has to know of.

    Args:
        detail: one sentence for people.
        extra: further members of the problem document.
    """

    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"
    headers: Mapping[str, str] = {}

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class NotFound(DomainError):
    """What was asked for does not exist, or not for this user."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class Conflict(DomainError):
    """The request is sound, but not in this state of things."""

    status = HTTPStatus.CONFLICT
    code = "conflict"


class TooManyLines(Conflict):
    """A cart, an order or a wishlist would hold more lines than settings.MAX_LINES."""

    code = "too_many_lines"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} holds {settings.MAX_LINES} lines at most.")


class AccountClosed(DomainError):
    """The token is still valid, but its account is gone or deactivated."""

    status = HTTPStatus.FORBIDDEN
    code = "account_closed"

    def __init__(self) -> None:
        super().__init__("This account is closed.")


class Unavailable(DomainError):
    """A part that this request needs does not answer; trying again later may help."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    headers = {"Retry-After": "1"}


# As RFC 9110 calls them. Python before 3.13 has older names, and what the API says depends on no
# version of Python.
TITLES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def title(status: int) -> str:
    """Return a status in words."""
    return TITLES.get(status) or HTTPStatus(status).phrase


def problem(status: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """Return the members of a problem document."""
    return {
        "type": "about:blank",
        "title": title(status),
        "status": int(status),
        "code": code,
        "detail": detail,
        "request_id": request_id.get(),
        **extra,
    }


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Translate what a view raised; None leaves it to Django, which answers 500."""
    if is_unavailable(exc):
        logger.warning("the database did not answer", exc_info=exc)
        exc = Unavailable("The store cannot be reached right now. Try again shortly.")
    if isinstance(exc, DomainError):
        body = problem(exc.status, exc.code, exc.detail, **exc.extra)
        return Response(body, exc.status, headers=dict(exc.headers), content_type=CONTENT_TYPE)
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    return _from_rest_framework(exc) if isinstance(exc, exceptions.APIException) else None


def _from_rest_framework(exc: exceptions.APIException) -> Response:
    extra: dict[str, Any] = {}
    if isinstance(exc, exceptions.ValidationError):
        code, detail = "invalid", "The request is not valid; `errors` says where."
        extra["errors"] = list(_field_errors(exc.get_full_details()))
    else:
        codes = exc.get_codes()
        code = codes if isinstance(codes, str) else exc.default_code
        detail = _first_sentence(exc.detail)
    body = problem(exc.status_code, code, detail, **extra)
    return Response(body, exc.status_code, headers=_headers(exc), content_type=CONTENT_TYPE)


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def _first_sentence(detail: Any) -> str:
    if isinstance(detail, Mapping):
        return str(detail.get("detail", next(iter(detail.values()), "")))
    return str(detail[0] if isinstance(detail, list) else detail)


def _field_errors(details: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Flatten nested error details to {field, code, detail}, the field as a dotted path."""
    if isinstance(details, Mapping) and isinstance(details.get("message"), str):
        yield {"field": path, "code": details["code"], "detail": details["message"]}
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _field_errors(inner, ".".join(filter(None, (path, own))))
    else:
        for index, inner in enumerate(details):
            nested = isinstance(inner, Mapping) and not isinstance(inner.get("message"), str)
            yield from _field_errors(inner, f"{path}.{index}" if nested else path)


def problem_response(status: int, code: str, detail: str, **headers: str) -> JsonResponse:
    """Return a problem document where no REST framework view is at work."""
    return JsonResponse(
        problem(status, code, detail), status=status, content_type=CONTENT_TYPE, headers=headers
    )


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer what Django found suspicious before any view was reached."""
    return problem_response(400, "bad_request", "The request cannot be understood.")


def page_not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer a path that no route has."""
    return problem_response(404, "not_found", "There is nothing at this path.")


def server_error(request: HttpRequest) -> JsonResponse:
    """Answer an error of ours; the log has it under the request id."""
    return problem_response(500, "internal_error", "Something went wrong on our side.")
