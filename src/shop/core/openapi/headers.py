"""The headers of answers and requests, described once."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter

UUID_EXAMPLE = "01998f6e-5c1e-7c39-9d55-2f6a2f0c1b7e"
TIME_EXAMPLE = "2026-03-01T09:30:00.000000Z"


def _text(description: str, *, required: bool = True, **schema: Any) -> dict[str, Any]:
    return {
        "description": description,
        "required": required,
        "schema": {"type": "string", **schema},
    }


ANSWER_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": _text("The request's id: the caller's own if it sent an acceptable one."),
    "ETag": _text("The version of the answer, for If-None-Match and If-Match.", pattern='"'),
    "Cache-Control": _text(
        "How long a copy may be used: briefly, by any cache, without a token; never with one."
    ),
    "Location": _text("The path of what was made.", format="uri-reference"),
    "Idempotent-Replayed": _text(
        "`true` when this answer was stored under the Idempotency-Key before.",
        required=False,
        enum=["true"],
    ),
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit-Policy": _text(
        'How much may be asked: `"user";q=6000;w=60` is 6,000 requests in 60 seconds.',
        required=False,
    ),
    "RateLimit": _text(
        'What is left of it: `"user";r=5997;t=42` is 5,997 requests, and 42 seconds to go.',
        required=False,
    ),
    "X-Shards-Asked": {
        "description": "How many shards the answer took.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "Deprecation": _text("Since when this is deprecated, in unix seconds.", pattern="^@[0-9]+$"),
    "Sunset": _text("Until when it answers at least, as an HTTP date."),
    "WWW-Authenticate": _text("How to authenticate."),
}
EVERYWHERE = ("X-Request-ID", "RateLimit-Policy", "RateLimit")


def answer_headers(*names: str) -> dict[str, dict[str, str]]:
    """Return references to these headers and to those that every answer has."""
    return {
        name: {"$ref": f"#/components/headers/{name}"} for name in sorted({*EVERYWHERE, *names})
    }


def _header(name: str, description: str, *, required: bool = False, **schema: Any) -> Any:
    return OpenApiParameter(
        name,
        {"type": "string", **schema},
        OpenApiParameter.HEADER,
        required=required,
        description=description,
    )


def idempotency_key(*, required: bool) -> Any:
    """Return the Idempotency-Key as an operation takes it."""
    return _header(
        "Idempotency-Key",
        "Chosen by the client for this request, and sent again with every retry of it. The first "
        "answer is kept for 24 hours and replayed.",
        required=required,
        minLength=1,
        maxLength=255,
        pattern="^[!-~]+$",
        examples=["7d0c1f5e-order-1"],
    )


ETAGS = r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'
IF_NONE_MATCH = _header(
    "If-None-Match",
    "The ETag that the client has; if it is still right, the answer is 304.",
    pattern=ETAGS,
)
IF_MATCH = _header(
    "If-Match",
    "The ETag of what the client read; if it has changed since, the answer is 412.",
    pattern=ETAGS,
)
