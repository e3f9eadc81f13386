"""A condition is compared or refused, at every operation of the API."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.core.conditional import CONDITIONS, PreconditionInvalid, etags_in
from tests.integration.core.assertions import assert_problem
from tests.integration.core.routes import METHODS, Route, handled

pytestmark = pytest.mark.django_db

DATE = "Mon, 30 Nov 2026 12:00:00 GMT"
SAVING_BYTES = ("If-Modified-Since", "If-Range")  # RFC 9110: to be ignored without dates and ranges
UNREADABLE = ("", "abc", "5f2b, 6c", '"a" "b"', '"a', 'w/"a"', '*, "a"', '"a b"')

READINGS = handled("GET")
WRITINGS = handled(*(method for method in METHODS if method != "GET"))


def compares(route: Route, method: str) -> bool:
    return method in getattr(route.view.cls, "if_match", ())  # type: ignore[attr-defined]


COMPARING = [(route, method) for route, method in WRITINGS if compares(route, method)]


def named(pairs: list[tuple[Route, str]]) -> Any:
    return pytest.mark.parametrize(
        ("route", "method"), pairs, ids=[f"{method} {route}" for route, method in pairs]
    )


@pytest.fixture
def ask(sam: User, as_user: Callable[[User], APIClient]) -> Callable[..., Any]:
    client = as_user(sam)

    def asked(method: str, route: Route, name: str, value: str) -> Any:
        path = route.path(int=1, uuid=new_id())
        return getattr(client, method.lower())(path, {}, headers={name: value})

    return asked


@named(WRITINGS)
def test_an_operation_that_writes_refuses_each_condition_that_it_does_not_compare(
    ask: Callable[..., Any], route: Route, method: str
) -> None:
    for name in CONDITIONS.values():
        if name != "If-Match" or not compares(route, method):
            answer = ask(method, route, name, DATE if name.endswith("Since") else '"a"')
            assert_problem(answer, 400, "unsupported_precondition")
            assert name in answer.json()["detail"]


@named(READINGS)
def test_an_operation_that_reads_refuses_the_conditions_of_changes(
    ask: Callable[..., Any], route: Route, method: str
) -> None:
    for name, value in (("If-Match", '"a"'), ("If-Unmodified-Since", DATE)):
        assert_problem(ask(method, route, name, value), 400, "unsupported_precondition")
    for name in SAVING_BYTES:
        assert ask(method, route, name, DATE).status_code in (200, 404)


@pytest.mark.parametrize("value", UNREADABLE)
@named(COMPARING)
def test_an_if_match_that_cannot_be_read_is_refused_and_changes_nothing(
    ask: Callable[..., Any], route: Route, method: str, value: str
) -> None:
    assert_problem(ask(method, route, "If-Match", value), 400, "invalid_precondition")


@named(READINGS)
def test_an_if_none_match_that_cannot_be_read_is_refused(
    ask: Callable[..., Any], route: Route, method: str
) -> None:
    assert_problem(ask(method, route, "If-None-Match", "abc"), 400, "invalid_precondition")


def test_what_is_answered_from_redis_is_refused_as_well(client: APIClient) -> None:
    for _ in range(3):  # the third answer would be Redis's own
        assert client.get("/api/products/").status_code == 200
    for name, value, code in (
        ("If-None-Match", "abc", "invalid_precondition"),
        ("If-Match", '"a"', "unsupported_precondition"),
    ):
        assert_problem(client.get("/api/products/", headers={name: value}), 400, code)


def test_orders_carts_products_profiles_and_staff_compare_if_match() -> None:
    assert {f"{method} {route}" for route, method in COMPARING} == {
        "PATCH /api/users/me/",
        *(f"{method} /api/products/<int:product_id>/" for method in ("PUT", "PATCH", "DELETE")),
        "DELETE /api/cart/",
        *(f"{method} /api/cart/items/<uuid:item_id>/" for method in ("PATCH", "DELETE")),
        "POST /api/orders/",
        "POST /api/orders/<uuid:order_id>/cancel/",
        "PATCH /api/staff/orders/<uuid:order_id>/",
        "PATCH /api/staff/orders/<uuid:user_id>/<uuid:order_id>/",
    }


@pytest.mark.parametrize(
    ("header", "etags"),
    [
        ("*", ("*",)),
        ('"a"', ('"a"',)),
        ('"a" , W/"b"', ('"a"', 'W/"b"')),
        ('"a,b"', ('"a,b"',)),
        (' ,, "a",,"b", ', ('"a"', '"b"')),
        ('""', ('""',)),
    ],
)
def test_a_list_of_etags_is_read_as_rfc_9110_writes_it(header: str, etags: tuple[str, ...]) -> None:
    assert etags_in(header) == etags


@pytest.mark.parametrize("header", UNREADABLE)
def test_nothing_else_is_a_list_of_etags(header: str) -> None:
    with pytest.raises(PreconditionInvalid):
        etags_in(header)
