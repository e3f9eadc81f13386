"""What every request carries and leaves behind, at the middleware itself."""

import logging
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import URLResolver, get_resolver
from django.utils.functional import SimpleLazyObject

from sharding.django import work
from shop.core import metrics
from shop.core.afterwards import Answered
from shop.core.logging import about, request_id
from shop.core.observing import Observed, clerk, enter, route_of, without_values


def seen_by_the_view(request: HttpRequest) -> HttpResponse:
    """A view that answers with the id under which it logs."""
    return HttpResponse(request_id.get())


def through(view: Any = seen_by_the_view, path: str = "/", **headers: str) -> HttpResponse:
    return Observed(view)(RequestFactory().get(path, headers=headers))


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 64])
def test_the_callers_request_id_is_kept_and_given_back(given: str) -> None:
    response = through(**{"X-Request-ID": given})
    assert response["X-Request-ID"] == given
    assert response.content.decode() == given


@pytest.mark.parametrize(
    "given", ["", "x" * 65, "a b", "a\nb", "a\n", "ä", "a;b", "<script>", "a'*/", "%s"]
)
def test_an_unacceptable_request_id_is_replaced(given: str) -> None:
    response = through(**{"X-Request-ID": given})
    assert response["X-Request-ID"] != given
    assert len(response["X-Request-ID"]) == 32
    assert response.content.decode() == response["X-Request-ID"]


def test_each_request_gets_an_id_of_its_own() -> None:
    assert through()["X-Request-ID"] != through()["X-Request-ID"]


def test_nothing_of_a_request_outlives_it_even_when_the_view_fails() -> None:
    def failing(request: HttpRequest) -> HttpResponse:
        enter(request, "/failing/")
        raise RuntimeError(request_id.get())

    with pytest.raises(RuntimeError, match="mine"):
        through(failing, **{"X-Request-ID": "mine"})
    assert (request_id.get(), work.current.get(), about.get()) == ("", None, None)
    assert metrics.in_flight == set()


@pytest.mark.parametrize(
    ("pattern", "route"),
    [
        ("api/orders/<uuid:order_id>/", "/api/orders/{order_id}/"),
        (
            "api/reviews/<int:product_id>/<uuid:review_id>/",
            "/api/reviews/{product_id}/{review_id}/",
        ),
        (
            "admin/catalog/product/<path:object_id>/change/",
            "/admin/catalog/product/{object_id}/change/",
        ),
        ("admin/^(?P<app_label>auth|catalog)/$", "/admin/{app_label}/"),
        ("admin/(?P<url>.*)$", "/admin/{url}"),
        ("", "/"),
        ("a/'*/--%s", "/a//--s"),
    ],
)
def test_a_route_is_named_as_people_write_it(pattern: str, route: str) -> None:
    assert route_of(pattern) == route


def test_every_route_of_the_url_map_can_stand_in_a_comment_and_in_a_line() -> None:
    for pattern in _patterns(get_resolver()):
        assert work.SAFE.fullmatch(route_of(pattern)), pattern


def _patterns(resolver: URLResolver, prefix: str = "") -> list[str]:
    found = []
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        found += _patterns(pattern, route) if isinstance(pattern, URLResolver) else [route]
    return found


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[Answered]:
    """The records that requests leave."""
    records: list[Answered] = []
    monkeypatch.setattr(clerk, "take", records.append)
    return records


def test_a_request_leaves_a_record_of_what_was_asked_and_what_it_cost(
    answered: list[Answered],
) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        enter(request, "/api/x/{id}/")
        doing = work.current.get()
        assert doing is not None
        doing.note("SELECT 1", "node_1", 0.25)
        doing.note("SELECT 2", "node_1", 0.25)
        doing.note("COMMIT", "default", 0.5, queries=0)
        return HttpResponse(status=201)

    through(view, path="/api/x/7/?email=ana@example.com", **{"X-Request-ID": "mine"})
    (record,) = answered
    assert 0 <= record.seconds < 10
    assert record[:4] == ("mine", "GET", "/api/x/{id}/", 201)
    assert (record.work.queries, record.work.seconds) == (2, 1.0)
    assert record.user_id is None


def test_a_record_names_who_was_recognised(answered: list[Answered]) -> None:
    class Ana:
        id = "0191a0b0-0000-7000-8000-00000000000a"

    def view(request: HttpRequest) -> HttpResponse:
        request.user = Ana()  # type: ignore[assignment]
        return HttpResponse()

    through(view)
    assert answered[0].user_id == Ana.id


def test_no_session_is_read_to_know_who_asked(answered: list[Answered]) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: pytest.fail("read"))  # type: ignore[assignment]
        return HttpResponse()

    through(view)
    assert answered[0].user_id is None


@pytest.mark.parametrize("method", ["BREW", "GET'", "get", ""])
def test_an_unusual_method_has_no_label_of_its_own(answered: list[Answered], method: str) -> None:
    request = RequestFactory().get("/")
    request.method = method
    Observed(seen_by_the_view)(request)
    assert answered[0].method == "other"


def test_static_files_count_as_one_route(answered: list[Answered]) -> None:
    through(path="/static/core/docs.css")
    assert answered[0].route == "/static/"


def test_with_neither_metrics_nor_lines_no_record_is_left(
    answered: list[Answered], settings: Any
) -> None:
    settings.METRICS = settings.ACCESS_LOG = False
    through()
    assert answered == []


def test_a_slow_request_is_logged_with_its_queries_but_not_their_values(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SLOW_REQUEST = settings.SLOW_REQUEST * 0

    def view(request: HttpRequest) -> HttpResponse:
        doing = work.current.get()
        assert doing is not None
        doing.note("SELECT *\n FROM t WHERE a = %s AND b = 'ana' AND c1 = 42", "node_1", 0.1)
        return HttpResponse()

    with caplog.at_level(logging.WARNING, logger="shop.core.observing"):
        through(view)
    (record,) = caplog.records
    assert record.queries == [  # type: ignore[attr-defined]
        {"ms": 100.0, "alias": "node_1", "sql": "SELECT * FROM t WHERE a = %s AND b = ? AND c1 = ?"}
    ]


def test_values_are_taken_out_of_a_statement() -> None:
    sql = "INSERT INTO t1 VALUES ('it''s', 7, 1.5, $1) -- 8"
    assert without_values(sql) == "INSERT INTO t1 VALUES (?, ?, ?, $1) -- ?"
