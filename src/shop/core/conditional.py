"""Updates that must not overwrite what the client has not seen (RFC 9110, If-Match).

A GET's ETag is the digest of its body. Django's ConditionalGetMiddleware sets it, and answers
304 to a matching If-None-Match. An update compares If-Match with the ETag of this moment.
"""

from collections.abc import Callable
from hashlib import md5
from http import HTTPStatus
from typing import Any, TypeAlias

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.http import parse_etags, quote_etag
from rest_framework.request import Request

from shop.core.errors import DomainError
from shop.core.renderers import JSONRenderer

# What a service runs when it holds the lock; it raises what speaks against the change.
Check: TypeAlias = Callable[[], None]


class PreconditionFailed(DomainError):
    """The resource has changed since the client read it."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "precondition_failed"


class ConditionalGet(ConditionalGetMiddleware):
    """Gives good answers to GETs an ETag, and 304 to whoever has them already.

    Problems get none: their request id differs each time. If-Match is for updates; a GET with one
    is answered as if it had none.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.status_code != HTTPStatus.OK or "If-Match" in request.headers:
            return response
        return super().process_response(request, response)


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
    """
    wanted = parse_etags(request.headers.get("If-Match", ""))
    if wanted and "*" not in wanted and etag_of(representation) not in wanted:
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
