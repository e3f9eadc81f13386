"""The refusals of an operation: one response per status, which names every `code` it can carry.

Each code has a schema of its own, by name: generators make one type of it, however many operations
refuse with it, and know the members that it brings.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shop.core.errors import CONTENT_TYPE, DomainError, title
from shop.core.openapi.operations import Refusal, problem_members

MALFORMED = Refusal(400, "parse_error", "The body is no acceptable JSON.")
INVALID = Refusal(400, "invalid", "A field or parameter is not valid; `errors` says which.")
KEY_MISSING = Refusal(400, "idempotency_key_missing", "Send an Idempotency-Key header.")
NO_TOKEN = Refusal(401, "not_authenticated", "Send an access token.")
BAD_TOKEN = Refusal(401, "invalid_token", "The access token is malformed or has expired.")
WRONG_ROLE = Refusal(403, "permission_denied", "The caller's role does not allow this.")
NO_SUCH = Refusal(404, "not_found", "There is nothing here, or nothing of the caller's.")
NO_FORMAT = Refusal(406, "not_acceptable", "Answers are JSON; the Accept header excludes it.")
STALE = Refusal(412, "precondition_failed", "It has changed since the client read it.")
TOO_LARGE = Refusal(413, "body_too_large", "The body is larger than 1 MiB.")
NO_JSON = Refusal(415, "unsupported_media_type", "Send application/json.")
THROTTLED = Refusal(429, "throttled", "Too many requests; Retry-After says when to go on.")
DOWN = Refusal(503, "unavailable", "The store does not answer; try again shortly.")

# The codes whose problems have `errors`, and a field that one might name.
NAMING = {"invalid": "page_size", "unknown_field": "prise", "unknown_parameter": "stauts"}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An error as RFC 9457 has it. Decide by `code`; show `detail` to people.",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Always about:blank: `code` tells errors apart."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "description": "Stable; what a program decides by."},
        "detail": {"type": "string", "description": "A sentence for people; it may change."},
        "request_id": {"type": "string", "description": "Under which our log has this request."},
    },
}
FIELD_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["field", "code", "detail"],
    "properties": {
        "field": {
            "type": "string",
            "description": "Dotted path of the field or name of the parameter; empty: the whole.",
        },
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}
ERRORS: dict[str, Any] = {
    "type": "array",
    "description": "What is wrong, and where.",
    "items": {"$ref": "#/components/schemas/FieldError"},
}
SCHEMAS = {"Problem": PROBLEM, "FieldError": FIELD_ERROR}


def refusal(error: type[DomainError] | Refusal) -> Refusal:
    """Return the refusal that this error becomes."""
    if isinstance(error, Refusal):
        return error
    meaning = (error.__doc__ or "").strip().splitlines()[0]
    return Refusal(int(error.status), error.code, meaning)


def by_status(refusals: Iterable[Refusal]) -> dict[int, list[Refusal]]:
    """Group refusals, each code once, in the order of their status and code."""
    groups: dict[int, list[Refusal]] = {}
    for each in sorted({(r.status, r.code): r for r in refusals}.values()):
        groups.setdefault(each.status, []).append(each)
    return groups


def name_of(code: str) -> str:
    """Return the name of the schema of a code's problems, e.g. ``CartEmptyProblem``."""
    return f"{code.title().replace('_', '')}Problem"


def schema_of(status: int, code: str, meaning: str) -> dict[str, Any]:
    """Return the schema of the problems of one code."""
    members = {name: _like(told) for name, told in problem_members().get(code, {}).items()}
    if code in NAMING:
        members["errors"] = ERRORS
    # No `const`: what generators cannot merge with the type above it, they leave out.
    fixed = {
        "status": {"type": "integer", "enum": [status]},
        "code": {"type": "string", "enum": [code]},
    }
    own = {"type": "object", "required": [*fixed, *members], "properties": {**fixed, **members}}
    return {"description": meaning, "allOf": [{"$ref": "#/components/schemas/Problem"}, own]}


def _like(example: Any) -> dict[str, Any]:
    """Return the schema that an example stands for: all that it has is always there."""
    if isinstance(example, Mapping):
        properties = {name: _like(inner) for name, inner in example.items()}
        return {"type": "object", "required": list(properties), "properties": properties}
    if isinstance(example, list):
        return {"type": "array", "items": _like(example[0])}
    return {"type": "integer" if isinstance(example, int) else "string", "examples": [example]}


def _one_of(codes: list[str]) -> dict[str, Any]:
    references: list[dict[str, Any]] = [
        {"$ref": f"#/components/schemas/{name_of(code)}"} for code in codes
    ]
    return references[0] if len(references) == 1 else {"oneOf": references}


def response(refusals: list[Refusal], headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the response object for refusals of one status."""
    return {
        "description": "\n".join(f"- `{each.code}`: {each.meaning}" for each in refusals),
        "headers": dict(headers),
        "content": {
            CONTENT_TYPE: {
                "schema": _one_of([each.code for each in refusals]),
                "examples": {each.code: {"value": _example(each)} for each in refusals},
            }
        },
    }


def _example(refused: Refusal) -> dict[str, Any]:
    members = problem_members().get(refused.code, {})
    if refused.code in NAMING:
        error = {"field": NAMING[refused.code], "code": refused.code, "detail": "Not acceptable."}
        members = {"errors": [error]}
    return {
        "type": "about:blank",
        "title": title(refused.status),
        "status": refused.status,
        "code": refused.code,
        "detail": refused.meaning,
        "request_id": "b3f1c9d4e5a64c0f8d2f7a9e1c6b5d40",
        **members,
    }
