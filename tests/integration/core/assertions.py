"""What every answer of the API has in common, asked in one place."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

TRANSACTION_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def assert_problem(response: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """Assert that the answer is a problem document of this status and code; return it."""
    assert response.status_code == status, response.content[:500]
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert {"type", "title", "code", "detail", "request_id"} <= body.keys()
    if code is not None:
        assert body["code"] == code
    return body


def invalid_fields(response: Any) -> set[str]:
    """Assert that the answer is a failed validation; return the fields that it names."""
    return {error["field"] for error in assert_problem(response, 400, "invalid")["errors"]}


def unknown_fields(response: Any) -> list[str]:
    """Assert that the answer refuses fields that are not taken; return their names."""
    body = assert_problem(response, 400, "unknown_field")
    return [error["field"] for error in body["errors"]]


@contextmanager
def statements(limit: int) -> Iterator[list[str]]:
    """Assert that exactly this many statements are sent, BEGIN and COMMIT and the like aside."""
    sent: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield sent
    sent += [
        query["sql"]
        for query in captured.captured_queries
        if not query["sql"].startswith(TRANSACTION_CONTROL)
    ]
    assert len(sent) == limit, "\n".join(sent)
