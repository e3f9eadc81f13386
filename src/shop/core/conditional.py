"""Requests under a condition (RFC 9110 §13): only what the client has seen is changed.

A GET's ETag is the digest of its body. Django's ConditionalGetMiddleware sets it, and answers
304 to a matching If-None-Match. An update compares If-Match with the ETag of this moment.

Invariant: a condition is compared or refused. A header that cannot be read, or that an operation
does not compare, is answered 400: who sent it relies on it. Left alone is what RFC 9110 has a
server without modification times and ranges ignore in a GET, If-Modified-Since and If-Range; they
save bytes and guard nothing.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import md5
from http import HTTPStatus
from typing import Any, TypeAlias

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import set_response_etag
from django.utils.http import quote_etag
from rest_framework.request import Request

from shop.core.errors import DomainError, problem_response
from shop.core.renderers import JSONRenderer

# What a service runs when it holds the lock; it raises what speaks against the change.
Check: TypeAlias = Callable[[], None]

READING = ("GET", "HEAD")
UPDATING = ("PUT", "PATCH")
CONDITIONS = {
    "HTTP_IF_MATCH": "If-Match",
    "HTTP_IF_NONE_MATCH": "If-None-Match",
    "HTTP_IF_UNMODIFIED_SINCE": "If-Unmodified-Since",
    "HTTP_IF_MODIFIED_SINCE": "If-Modified-Since",
    "HTTP_IF_RANGE": "If-Range",
}
OF_ETAGS = ("If-Match", "If-None-Match")
IN_A_READING = ("If-None-Match", "If-Modified-Since", "If-Range")

ETAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_ELEMENT = re.compile(rf"({ETAG})[ \t]*(?:,[ \t,]*|\Z)")


class PreconditionFailed(DomainError):
    """The resource has changed since the client read it."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "precondition_failed"


class PreconditionInvalid(DomainError):
    """If-Match or If-None-Match is neither `*` nor a list of ETags in double quotes."""

    code = "invalid_precondition"


class PreconditionUnsupported(DomainError):
    """The operation does not compare the conditional header that was sent."""

    code = "unsupported_precondition"


class ConditionalGet(ConditionalGetMiddleware):
    """Refuses conditions that are not compared; gives GETs an ETag, and 304 to who has it.

    An update answers what a GET would answer now, and so has its ETag: the next update may follow.

    A view of the API names in `if_match` its methods that compare If-Match. Problems get no ETag:
    their request id differs each time.
    """

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not hasattr(view, "cls") or request.method == "OPTIONS":
            return None  # no operation of the API
        error = objection(request, if_match=request.method in getattr(view.cls, "if_match", ()))
        return problem_response(error.status, error.code, error.detail) if error else None

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.status_code != HTTPStatus.OK:
            return response
        if request.method in UPDATING and _can_be_read(request):
            set_response_etag(response)
        if "If-Match" in request.headers:
            return response
        return super().process_response(request, response)


def _can_be_read(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and hasattr(getattr(match.func, "cls", None), "get")


def objection(request: HttpRequest, *, if_match: bool = False) -> DomainError | None:
    """Return what speaks against a request's conditions: unread or not compared; None if nothing.

    Args:
        if_match: whether the operation compares If-Match.
    """
    compared = IN_A_READING if request.method in READING else ("If-Match",) * if_match
    try:
        for header, name in CONDITIONS.items():
            if (given := request.META.get(header)) is None:
                continue
            if name not in compared:
                return PreconditionUnsupported(f"{name} is not compared here; leave it out.")
            if name in OF_ETAGS:
                etags_in(given)
    except PreconditionInvalid as invalid:
        return invalid
    return None


@lru_cache(maxsize=256)
def etags_in(header: str) -> tuple[str, ...]:
    """Return the ETags that an If-Match or If-None-Match names; ``*`` stands for any.

    Raises:
        PreconditionInvalid: it cannot be read.
    """
    text = header.strip(" \t,")
    if text == "*":
        return ("*",)
    found, at = [], 0
    while element := _ELEMENT.match(text, at):
        found.append(element[1])
        at = element.end()
    if not found or at < len(text):
        raise PreconditionInvalid('A condition is `*`, or ETags as they were sent: "in quotes".')
    return tuple(found)


def etag_of(representation: Any) -> str:
    """Return the ETag that a GET answering with this representation has."""
    body = JSONRenderer().render(representation)
    return quote_etag(md5(body, usedforsecurity=False).hexdigest())


def require_match(request: Request, representation: Any) -> None:
    """Compare the request's If-Match, if it has one, with what the resource is now.

    Call it inside the transaction of the update, when the row is locked.

    Args:
        representation: what a GET of the resource would answer right now.

    Raises:
        PreconditionFailed: the client wants to change another version than this one.
        PreconditionInvalid: it cannot be read.
    """
    if (given := request.headers.get("If-Match")) is None:
        return
    wanted = etags_in(given)
    if "*" not in wanted and etag_of(representation) not in wanted:
        raise PreconditionFailed("This has changed since you read it; read it again.")


def matching(request: Request, read: Callable[[], Any]) -> Check:
    """Return `require_match` as a check for a service; nothing is read without the header.

    Args:
        read: returns what a GET of the resource would answer at that moment.
    """

    def check() -> None:
        if "If-Match" in request.headers:
            require_match(request, read())

    return check


def unconditional() -> None:
    """Let every change pass: the check of a service whose caller has none."""
