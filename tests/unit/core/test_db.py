"""Only a transaction that was undone through no fault of its own is run again."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, OperationalError
from psycopg2 import errorcodes

from shop.core import db
from shop.core.db import ATTEMPTS, retrying


class FromServer(Exception):
    """An error as psycopg2 hands it on: only its code matters here."""

    def __init__(self, pgcode: str | None) -> None:
        super().__init__(pgcode)
        self.pgcode = pgcode


def failing(times: int, pgcode: str | None) -> tuple[Callable[[], str], list[int]]:
    """Return work that fails so many times, and the list of its calls."""
    calls: list[int] = []

    def work() -> str:
        calls.append(len(calls))
        if len(calls) <= times:
            raise OperationalError from FromServer(pgcode)
        return "done"

    return work, calls


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "PAUSE", 0)


@pytest.mark.parametrize("pgcode", [errorcodes.DEADLOCK_DETECTED, errorcodes.SERIALIZATION_FAILURE])
@pytest.mark.parametrize("times", range(ATTEMPTS))
def test_a_victim_of_a_deadlock_is_tried_again(times: int, pgcode: str) -> None:
    work, calls = failing(times, pgcode)
    assert retrying(work) == "done"
    assert len(calls) == times + 1


def test_after_the_last_attempt_the_error_is_passed_on() -> None:
    work, calls = failing(ATTEMPTS, errorcodes.DEADLOCK_DETECTED)
    with pytest.raises(OperationalError):
        retrying(work)
    assert len(calls) == ATTEMPTS


@pytest.mark.parametrize("pgcode", [None, errorcodes.LOCK_NOT_AVAILABLE, errorcodes.ADMIN_SHUTDOWN])
def test_any_other_trouble_is_passed_on_at_once(pgcode: str | None) -> None:
    work, calls = failing(1, pgcode)
    with pytest.raises(OperationalError):
        retrying(work)
    assert len(calls) == 1


def test_an_error_without_a_cause_is_passed_on_at_once() -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        raise OperationalError("the connection is lost")

    with pytest.raises(OperationalError, match="lost"):
        retrying(work)
    assert calls == [1]


def test_an_error_of_another_class_is_passed_on_at_once() -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        raise IntegrityError from FromServer(errorcodes.DEADLOCK_DETECTED)

    with pytest.raises(IntegrityError):
        retrying(work)
    assert calls == [1]
