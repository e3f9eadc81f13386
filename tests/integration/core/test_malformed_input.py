"""Whatever is sent to whichever route: a 4xx problem document, never a 5xx.

The routes and the fields come from the URL map and the serializers; new ones are included.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.catalog.api.serializers import FilterSerializer
from shop.catalog.models import Category
from shop.core.pagination import MAX_PAGE_SIZE
from tests.conftest import MakeProduct
from tests.integration.core.routes import (
    BODY_METHODS,
    METHODS,
    Route,
    acceptable_body,
    api_routes,
    handled,
    taken_fields,
)

pytestmark = pytest.mark.django_db

NO_JSON = {
    "cut off": b'{"product_id": ',
    "no UTF-8": b'{"username": "\xff\xfe"}',
    "NaN": b'{"quantity": NaN}',
    "Infinity": b'{"price": -Infinity}',
    "beyond a double": b'{"price": 1e999}',
    "deep": b"[" * 100_000,
    "deep and closed": b"[" * 500 + b"]" * 500,
    "unpaired surrogate": b'{"name": "\\ud800"}',
    "5000 digits": b'{"quantity": ' + b"9" * 5000 + b"}",
    "a list": b"[]",
    "a text": b'"text"',
    "a number": b"3",
    "null": b"null",
    "nothing but a comma": b",",
}
HOSTILE_VALUES = [
    -1, 0, 2**31, 2**63, -(10**30), 10**30, 10**4000, 1.5, 1e300, True, None,
    "", " ", "a\0b", "x" * 10_000, "㍿" * 150, "NaN", "1e-400", "٣", "'; --",
    [], ["a"], {}, {"a": 1},
]  # fmt: skip
HOSTILE_TEXTS = [
    "", "\0", "-1", "0", "1e999", "NaN", "Infinity", "9" * 30, "9" * 5000, "0001" + "9" * 30,
    "x" * 10_000, "a b c:d", "' OR 1=1", "%", "㍿", "null", "true",
]  # fmt: skip
HOSTILE_TO_ANY = ["a\0b", ["a"], 10**30]
QUERY_NAMES = {"ordering", "cursor", "page_size", "user_id", *FilterSerializer().fields}
UNKNOWN_NUMBERS = (0, 999_999_999, 2**63 - 1, 2**63, 10**30)

every_route = pytest.mark.parametrize("route", api_routes(), ids=str)

Send = Callable[..., Any]


@pytest.fixture
def send(sam: User, as_user: Callable[[User], APIClient], category: Category) -> Send:
    """Send as staff, who get past every permission; what it changes is undone at once."""
    client = as_user(sam)
    client.raise_request_exception = False
    before = transaction.savepoint()

    def request(method: str, path: str, data: Any = None, **extra: Any) -> Any:
        headers = {"Idempotency-Key": str(new_id())}
        if isinstance(data, bytes):
            extra.setdefault("content_type", "application/json")
        call = client.generic if isinstance(data, bytes) else _by_name(client)
        with written() as changes:
            response = call(method, path, data, headers=headers, **extra)
        if changes or connection.needs_rollback or response.status_code >= 500:
            transaction.savepoint_rollback(before)
            connection.needs_rollback = False
        return response

    return request


@contextmanager
def written() -> Iterator[list[str]]:
    """Collect the statements that may change something: undoing takes longer than most requests."""
    changes: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            changes.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield changes


def _by_name(client: APIClient) -> Send:
    return lambda method, *args, **extra: getattr(client, method.lower())(*args, **extra)


def _unknown(route: Route, number: int = 999_999_999) -> str:
    return route.path(int=number, uuid=new_id())


def _is_sound(response: Any) -> bool:
    """Tell whether it is a success, or a refusal in the form of a problem document."""
    problem = response.headers.get("Content-Type") == "application/problem+json"
    return response.status_code < 400 or (response.status_code < 500 and problem)


def _is_refused(response: Any) -> bool:
    return response.status_code >= 400 and _is_sound(response)


@every_route
def test_a_body_that_is_no_json_object_is_refused(send: Send, route: Route) -> None:
    wrong = {
        (method, name): response.status_code
        for method in METHODS
        for name, body in NO_JSON.items()
        if not (_is_refused if method in BODY_METHODS else _is_sound)(
            response := send(method, _unknown(route), body)
        )
    }
    assert wrong == {}


@every_route
def test_a_body_of_ten_megabytes_is_refused(send: Send, route: Route) -> None:
    body = b'{"name": "' + b"x" * 10_000_000 + b'"}'
    answers = {method: send(method, _unknown(route), body) for method in METHODS}
    assert {method: answer.status_code for method, answer in answers.items()} == dict.fromkeys(
        METHODS, 413
    )
    assert all(_is_refused(answer) for answer in answers.values())


@every_route
def test_a_body_of_another_media_type_is_refused(send: Send, route: Route) -> None:
    wrong = {
        method: response.status_code
        for method in BODY_METHODS
        if not _is_refused(
            response := send(method, _unknown(route), b"name=x", content_type="text/plain")
        )
    }
    assert wrong == {}


@pytest.mark.parametrize("route", [route for route in api_routes() if route.converters], ids=str)
def test_an_id_that_nobody_has_is_refused(send: Send, route: Route) -> None:
    body = json.dumps(acceptable_body()).encode()
    wrong = {
        (method, number): response.status_code
        for method in METHODS
        if route.takes(method)
        for number in UNKNOWN_NUMBERS
        if not _is_refused(response := send(method, _unknown(route, number), body))
    }
    assert wrong == {}


@pytest.mark.parametrize(("route", "method"), handled(*BODY_METHODS), ids=str)
def test_no_value_of_a_field_breaks_the_server(
    send: Send, make_product: MakeProduct, route: Route, method: str
) -> None:
    path, taken = route.path(int=make_product().id, uuid=new_id()), taken_fields(route, method)
    ask = Asking(send, method, path, taken)
    wrong = {
        f"{name}={str(value)[:20]!r}": response.status_code
        for name in taken  # any other is refused by name: tests/integration/test_access.py
        for value in (*HOSTILE_VALUES, *HOSTILE_TO_ANY)
        if not _is_sound(response := ask(name, value=value))
    }
    assert wrong == {}


class Asking:
    """Sends a body that is acceptable but for a field to one route."""

    def __init__(self, send: Send, method: str, path: str, taken: set[str]) -> None:
        usual = {name: value for name, value in acceptable_body().items() if name in taken}
        self._send = lambda fields: send(method, path, json.dumps({**usual, **fields}).encode())

    def __call__(self, name: str, *, value: Any) -> Any:
        return self._send({name: value})


@pytest.mark.parametrize("route", [route for route, _ in handled("GET")], ids=str)
def test_no_query_parameter_breaks_the_server(
    send: Send, make_product: MakeProduct, route: Route
) -> None:
    path = route.path(int=make_product().id, uuid=new_id())
    wrong = {
        f"{name}={text[:20]!r}": response.status_code
        for name in sorted(QUERY_NAMES)
        for text in HOSTILE_TEXTS
        if not _is_sound(response := send("GET", path, {name: text}))
    }
    assert wrong == {}


@pytest.mark.parametrize("text", ["0", "101", "-1", "x", "1.0", "010099", "٣", "0001" * 20])
def test_a_page_size_outside_1_to_100_is_refused(send: Send, text: str) -> None:
    assert MAX_PAGE_SIZE == 100
    assert send("GET", "/api/products/", {"page_size": text}).status_code == 400


@pytest.mark.parametrize("path", ["/api/products/%00/", "/api/orders/%00/", "/%00", "/api/%FF%FE/"])
def test_strange_bytes_in_the_path_are_refused(send: Send, path: str) -> None:
    assert _is_refused(send("GET", path))


def test_a_description_beyond_what_can_be_indexed_is_refused(
    send: Send, category: Category
) -> None:
    body = {
        "name": "A book of words",
        "price": "1.00",
        "category_id": category.id,
        "description": " ".join(f"{number:05x}" for number in range(170_000)),
    }
    assert _is_refused(send("POST", "/api/products/", body))
