"""What a piece of work asks of the databases: what its comments say, what it counts."""

from typing import Any

import pytest

from sharding.django.work import MOST_STATEMENTS, Work, comment_of, current, doing, observe


class Request(Work):
    def names(self) -> dict[str, str]:
        return {"request_id": "mine", "route": "/api/orders/{order_id}/"}


class Connection:
    alias = "node_1"


def ran(sql: Any, params: Any = None) -> Any:
    """Return what reaches the driver."""
    sent: list[Any] = []
    observe(lambda *call: sent.append(call[0]), sql, params, False, {"connection": Connection})
    return sent[0]


def test_a_statement_ends_in_what_it_belongs_to() -> None:
    with doing(Request()):
        assert ran("SELECT 1") == ("SELECT 1 /*request_id='mine',route='/api/orders/{order_id}/'*/")


def test_outside_of_any_work_a_statement_stays_as_it_is() -> None:
    assert current.get() is None
    assert ran("SELECT 1") == "SELECT 1"


def test_what_is_no_text_is_left_to_the_driver() -> None:
    composed = object()
    with doing(Request()):
        assert ran(composed) is composed


@pytest.mark.parametrize(
    "value",
    [
        "*/ DROP TABLE x; --",
        "a*/b",
        "/*",
        "a'b",
        'a"b',
        "%s",
        "100%",
        "a b",
        "a\nb",
        "ä",
        "a;b",
        "",
    ],
)
def test_a_value_that_could_end_the_comment_is_left_out(value: str) -> None:
    assert comment_of(request_id=value) == ""
    assert comment_of(request_id=value, route="/a/") == " /*route='/a/'*/"


def test_statements_are_counted_and_timed_by_alias() -> None:
    with doing(Work()) as work:
        ran("SELECT 1")
        ran("SELECT 2")
    work.note("COMMIT", "default", 0.5, queries=0)
    assert work.queries == work.spent["node_1"].queries == 2
    assert work.spent["default"].queries == 0
    assert work.seconds == work.spent["node_1"].seconds + 0.5


def test_a_statement_that_fails_counts_as_well() -> None:
    def failing(*_: Any) -> None:
        raise RuntimeError

    with doing(Work()) as work, pytest.raises(RuntimeError):
        observe(failing, "SELECT 1", None, False, {"connection": Connection})
    assert work.queries == 1


def test_a_work_without_end_does_not_fill_the_memory() -> None:
    work = Work()
    for _ in range(MOST_STATEMENTS * 2):
        work.note("SELECT 1", "default", 0.0)
    assert len(work.statements) == MOST_STATEMENTS
    assert work.queries == MOST_STATEMENTS * 2
