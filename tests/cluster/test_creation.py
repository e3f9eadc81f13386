"""Test databases are made on every node, and gone from all of them afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from psycopg2.errors import ObjectInUse

from sharding.django.backend.creation import DROP_TRIES, DatabaseCreation, Node

NAME = "test_creation"
Workers = list[tuple[str, int]]


@pytest.fixture
def creation(db: None) -> Iterator[DatabaseCreation]:
    """What makes and drops databases of another name than the tests'."""
    apart = connections["default"].copy("apart")
    names = {**apart.settings_dict["TEST"], "NAME": NAME}
    apart.settings_dict = {**apart.settings_dict, "TEST": names}
    yield apart.creation
    apart.creation._drop([apart.creation._coordinator(), *apart.creation._workers()], NAME)


def has_it(creation: DatabaseCreation, workers: Workers) -> set[bool]:
    """Tell whether the nodes have the database: all, none, or some."""
    nodes = [creation._coordinator(), *(Node(*worker) for worker in workers)]
    return {creation._exists(node, NAME) for node in nodes}


def test_what_an_interrupted_run_left_on_one_node_is_replaced(
    creation: DatabaseCreation, workers: Workers
) -> None:
    creation._make(Node(*workers[0]), NAME)
    assert has_it(creation, workers) == {True, False}
    creation._create_test_db(verbosity=0, autoclobber=True)
    assert has_it(creation, workers) == {True}


@pytest.fixture
def busy(creation: DatabaseCreation, monkeypatch: pytest.MonkeyPatch) -> list[Node]:
    """Let the first tries of each node to drop the database fail; returns the nodes that tried."""
    tried: list[Node] = []
    run = creation._run

    def refuse(node: Node, database: str, statements: Any) -> Any:
        if "DROP" in str(statements[0]):
            tried.append(node)
            if tried.count(node) < DROP_TRIES:
                raise ObjectInUse
        return run(node, database, statements)

    monkeypatch.setattr(creation, "_run", refuse)
    return tried


def test_a_database_that_is_in_use_is_dropped_a_little_later(
    creation: DatabaseCreation, workers: Workers, busy: list[Node]
) -> None:
    creation._make(Node(*workers[0]), NAME)
    creation._destroy_test_db(NAME, verbosity=0)
    assert has_it(creation, workers) == {False}
    assert len(busy) == DROP_TRIES * (1 + len(workers))


def test_a_database_that_stays_in_use_is_said(
    creation: DatabaseCreation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ObjectInUse

    with monkeypatch.context() as patch:
        patch.setattr(creation, "_run", refuse)
        with pytest.raises(ObjectInUse):
            creation._drop_on(creation._coordinator(), NAME)
