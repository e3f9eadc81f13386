from datetime import date
from typing import Any

import pytest

from shop.seeding.plan import Plan

TODAY = date(2026, 12, 1)


def plan(**changes: Any) -> Plan:
    return Plan(**({"products": 20, "users": 5, "orders": 50} | changes))


def test_a_sound_plan_has_no_problem() -> None:
    assert plan().problem(TODAY) is None
    assert plan(users=0, orders=0).problem(TODAY) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"products": -1}, "--products"),
        ({"users": 10**12}, "--users"),
        ({"users": 0}, "at least one user"),
        ({"products": 0}, "one product"),
        ({"products": 0, "users": 0, "orders": 0}, "nothing to seed"),
        ({"seed": -1}, "--seed"),
        ({"until": date(2026, 12, 2)}, "--until"),
        ({"until": date(1999, 1, 1)}, "--until"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(changes: dict[str, Any], words: str) -> None:
    problem = plan(**changes).problem(TODAY)
    assert problem is not None
    assert words in problem
    assert problem.endswith(".")


def test_each_kind_of_row_has_a_stream_of_its_own() -> None:
    assert plan().stream("users").random() == plan(orders=9).stream("users").random()
    assert plan().stream("users").random() != plan().stream("orders").random()
    assert plan().stream("users").random() != plan(seed=2).stream("users").random()
